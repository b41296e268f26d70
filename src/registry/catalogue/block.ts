import { nameLengthOf } from './words.ts'

/**
 * Entries of a block: so many that its text is longer than a MiB. Node keeps text of that length outside of the heap,
 * which holds twice as much as is in it. Searching a block takes a millisecond or two.
 */
export const BLOCK_SIZE = 16_384

/** What many crates are found by, one behind the other, in as few objects as can be. */
export interface Block {
  /** The words of all. */
  readonly text: string
  /** Where the words of each begin, and the last ones end. */
  readonly starts: ArrayLike<number>
  /** How long the name of each is, with which its words begin. */
  readonly nameLengths: ArrayLike<number>
  /** Of which row each is. */
  readonly rows: ArrayLike<number>
  /** The numbers of the tags of all. */
  readonly tags: Numbers
  /** Where the tags of each begin, and the last ones end. */
  readonly tagStarts: ArrayLike<number>
}

/** Numbers that can be searched. */
type Numbers = readonly number[] | Uint16Array | Uint32Array

/** A block that takes entries. */
export interface OpenBlock extends Block {
  add(row: number, words: string, tags: readonly number[]): void
  /** The same block, closed. */
  seal(): Block
}

export function openBlock(): OpenBlock {
  let text = ''
  const [starts, rows, tags, tagStarts]: [number[], number[], number[], number[]] = [[0], [], [], [0]]
  const nameLengths: number[] = []
  return {
    get text() {
      return text
    },
    ...{ starts, nameLengths, rows, tags, tagStarts },
    add(row, words, numbers) {
      text += words
      starts.push(text.length)
      nameLengths.push(nameLengthOf(words))
      rows.push(row)
      for (const number of numbers) tags.push(number)
      tagStarts.push(tags.length)
    },
    seal: () => ({
      // What grew piece by piece is a tree of pieces, or on the heap; this is one string of bytes.
      text: Buffer.from(text, 'latin1').toString('latin1'),
      starts: packed(starts),
      nameLengths: packed(nameLengths),
      rows: packed(rows),
      tags: packed(tags),
      tagStarts: packed(tagStarts),
    }),
  }
}

/** A block whose entries have all moved elsewhere. */
export const EMPTY_BLOCK: Block = openBlock().seal()

function packed(numbers: readonly number[]): Uint16Array | Uint32Array {
  const isSmall = numbers.every((number) => number <= 0xffff)
  return isSmall ? Uint16Array.from(numbers) : Uint32Array.from(numbers)
}
