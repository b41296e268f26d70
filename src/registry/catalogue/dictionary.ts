import { packed } from './numbers.ts'

/** Before each word; no word has it. */
const WORD = '\n'

/** The words of many texts, each once and with a number: a search looks at far fewer than the texts have. */
export interface Dictionary {
  /** All of them, one behind the other. */
  readonly text: string
  /** Where each begins, and the last one ends. */
  readonly starts: ArrayLike<number>
}

/** A dictionary to which words are added. */
export interface OpenDictionary extends Dictionary {
  /** The number of a word, which is added if it is not there. */
  numberOf(word: string): number
}

export function openDictionary(): OpenDictionary {
  const numbers = new Map<string, number>()
  const starts = [0]
  let text = ''
  return {
    get text() {
      return text
    },
    starts,
    numberOf(word) {
      const known = numbers.get(word)
      if (known !== undefined) return known
      const number = numbers.size
      numbers.set(word, number)
      text += WORD + word
      starts.push(text.length)
      return number
    },
  }
}

export function packedDictionary({ text, starts }: Dictionary): Dictionary {
  return { text: packedText(text), starts: packed(starts) }
}

/** What grew piece by piece is a tree of pieces; this is one string of bytes. */
export function packedText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

export function wordAt({ text, starts }: Dictionary, number: number): string {
  return text.slice((starts[number] ?? 0) + WORD.length, starts[number + 1])
}

/** The numbers of the words that have `part` in them. */
export function wordsWith({ text, starts }: Dictionary, part: string): readonly number[] {
  const found: number[] = []
  let number = 0
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, starts[number])) {
    while ((starts[number + 1] ?? 0) <= at) number++
    found.push(number)
    number += 1
  }
  return found
}
