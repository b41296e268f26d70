import { createSpellings } from './spellings.ts'

/** Names of a group: terms are looked for in whole groups, and only in those that may have them. */
const GROUP = 64
/** Bytes for a name, to begin with: most are somewhat shorter. */
const USUAL_LENGTH = 16
const GROWTH = 1.5
/** Before each name. */
const NAME = '\n'
/** Three letters that follow one another are told from others by so many kinds: in a group are some hundred. */
const KINDS = 2048
const LETTERS = 3
const BITS = 32

/** The names of the entries of a block: as bytes, which are not for the garbage collector to count. */
export interface Names {
  /** The name of the next slot, in both forms. */
  add(canonical: string, spelling: string): void
  /** The canonical name. */
  at(slot: number): string
  /** The name as its crate spells it. */
  spellingAt(slot: number): string
  lengthOf(slot: number): number
  /** Whether the canonical name begins so. */
  beginsWith(slot: number, letters: string): boolean
  /** Where a term first occurs in the canonical name of each entry that has it. */
  find(term: string, found: (slot: number, at: number) => void): void
}

/** Names for so many slots. */
export function createNames(most: number): Names {
  let text = Buffer.allocUnsafe(most * USUAL_LENGTH)
  let used = 0
  /** Where each group begins in the text, and each name in its group. */
  const groups = new Uint32Array(Math.ceil(most / GROUP))
  const starts = new Uint16Array(most)
  const spellings = createSpellings()
  /** For each kind of three letters a bit for each group that has some. */
  const words = Math.ceil(most / GROUP / BITS)
  const has = new Uint32Array(KINDS * words)
  let size = 0

  const startOf = (slot: number) => (groups[Math.floor(slot / GROUP)] ?? 0) + (starts[slot] ?? 0)
  const endOf = (slot: number) => (slot + 1 < size ? startOf(slot + 1) - NAME.length : used)
  const at = (slot: number) => text.toString('latin1', startOf(slot), endOf(slot))

  function append(name: string): void {
    if (size % GROUP === 0) groups[size / GROUP] = used
    starts[size] = used + NAME.length - (groups[Math.floor(size / GROUP)] ?? 0)
    const line = NAME + name
    if (used + line.length > text.length)
      text = Buffer.concat([text], Math.ceil(text.length * GROWTH) + line.length)
    used += text.write(line, used, 'latin1')
    size += 1
  }

  /** The groups that may have a term, as bits of a word of each kind. */
  function bitsOf(kinds: readonly number[], word: number): number {
    let bits = -1
    for (const kind of kinds) bits &= has[kind * words + word] ?? 0
    return bits
  }

  function findIn(group: number, term: string, found: Parameters<Names['find']>[1]): void {
    const end = Math.min(size, (group + 1) * GROUP)
    let slot = group * GROUP
    if (slot >= end) return
    const names = text.toString('latin1', groups[group], endOf(end - 1))
    for (let place = names.indexOf(term); place >= 0; place = names.indexOf(term, starts[slot])) {
      while (slot + 1 < end && (starts[slot + 1] ?? 0) <= place) slot++
      found(slot, place - (starts[slot] ?? 0))
      if (++slot === end) return
    }
  }

  return {
    at,
    lengthOf: (slot) => endOf(slot) - startOf(slot),
    beginsWith(slot, letters) {
      const start = startOf(slot)
      for (let i = 0; i < letters.length; i++)
        if (start + i >= used || text[start + i] !== letters.charCodeAt(i)) return false
      return true
    },
    spellingAt: (slot) => spellings.of(startOf(slot), at(slot)),
    add(canonical, spelling) {
      const group = Math.floor(size / GROUP)
      append(canonical)
      spellings.add(startOf(size - 1), canonical, spelling)
      for (const kind of kindsOf(canonical)) {
        const word = kind * words + Math.floor(group / BITS)
        has[word] = (has[word] ?? 0) | (1 << (group % BITS))
      }
    },
    find(term, found) {
      const kinds = kindsOf(term)
      for (let word = 0; word < words; word++)
        for (let bits = bitsOf(kinds, word); bits !== 0; bits &= bits - 1)
          findIn(word * BITS + lowestBit(bits), term, found)
    },
  }
}

/** The kinds of all three letters that follow one another. */
function kindsOf(text: string): readonly number[] {
  const kinds: number[] = []
  for (let i = 0; i + LETTERS <= text.length; i++) {
    const [a, b, c] = [text.charCodeAt(i), text.charCodeAt(i + 1), text.charCodeAt(i + 2)]
    kinds.push((a * 37 * 37 + b * 37 + c) % KINDS)
  }
  return kinds
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}
