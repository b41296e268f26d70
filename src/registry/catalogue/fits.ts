import { addBit, addRange, type Bits, hasBits, noBits, wordsFor } from './bits.ts'
import type { Block } from './block.ts'
import { wordsWith } from './dictionary.ts'
import { namePart } from './letter-index.ts'
import { lastKey, nameKey } from './name-key.ts'
import { placeOf } from './numbers.ts'

/** What entries of blocks are looked for by, in the form in which it is compared with them; all of it must fit. */
export interface Wanted {
  /** Each must occur, in the name or in one of the words. */
  readonly terms: readonly string[]
  /** What the name begins with. */
  readonly letter: string
  /** Of each list one must be among the tags. */
  readonly tags: readonly (readonly number[])[]
}

/** How well a term fits: it is the name, its beginning, within it, or a word. Of several terms the worst one counts. */
const [WHOLE, BEGINNING, WITHIN, WORD] = [0, 1, 2, 3] as const
/** There are so many ways to fit. */
export const LEVELS = 4

/**
 * The entries of a block that fit: a set for each level, one behind the other, of those that fit so well or better. So
 * the last one has all that fit, and what fits several conditions is in all of their sets.
 */
export type Levels = Bits

/**
 * Marks the entries of a block that something fits, in empty sets; it is asked about those that are left. False where it
 * is known that there are none.
 */
type Condition = (levels: Levels, block: Block, left: Bits) => boolean

/** Finds what fits of a block, in sets that are there until the next block is looked at; `undefined` when nothing does. */
export function createFits({ terms, letter, tags }: Wanted): (block: Block) => Levels | undefined {
  const conditions = [
    ...tags.map((numbers) => withTags(numbers)),
    ...(letter === '' ? [] : [withLetter(letter)]),
    ...terms.map((term) => withTerm(term)),
  ]
  let [fitting, more] = [noBits(0), noBits(0)]
  return (block) => {
    const words = wordsFor(block.size)
    if (fitting.length !== LEVELS * words)
      [fitting, more] = [new Uint32Array(LEVELS * words), new Uint32Array(LEVELS * words)]
    for (let level = 0; level < LEVELS; level++) fitting.set(block.shown.subarray(0, words), level * words)
    const left = setOf(fitting, WORD)
    for (const mark of conditions) {
      more.fill(0)
      if (!mark(more, block, left)) return undefined
      intersect(fitting, more, words)
      if (!hasBits(left)) return undefined
    }
    return fitting
  }
}

function setOf(levels: Levels, level: number): Bits {
  const words = levels.length / LEVELS
  return levels.subarray(level * words, (level + 1) * words)
}

/** Leaves in each set what fits a condition so well or better. */
function intersect(fitting: Levels, more: Levels, words: number): void {
  for (let at = 0; at < more.length; at++) {
    const marked = (more[at] ?? 0) | (at < words ? 0 : (more[at - words] ?? 0))
    more[at] = marked
    fitting[at] = (fitting[at] ?? 0) & marked
  }
}

function withTags(numbers: readonly number[]): Condition {
  return (levels, { tags }) => {
    for (const number of numbers) tags.addTo(levels, number)
    return numbers.length > 0
  }
}

function withLetter(letter: string): Condition {
  return (levels, block) => {
    addBeginnings(levels, block, letter)
    return true
  }
}

function withTerm(term: string): Condition {
  const part = namePart(term)
  return (levels, block, left) => {
    const numbers = wordsWith(block.dictionary, term)
    const inWords = setOf(levels, WORD)
    for (const number of numbers) block.words.addTo(inWords, number)
    if (!block.names.mayHave(part)) return numbers.length > 0
    const [whole, beginning, within] = [setOf(levels, WHOLE), setOf(levels, BEGINNING), setOf(levels, WITHIN)]
    addBeginnings(beginning, block, term, whole)
    for (let word = 0; word < within.length; word++)
      within[word] = (left[word] ?? 0) & ~(beginning[word] ?? 0)
    block.names.keepIn(within, part)
    return numbers.length > 0 || hasBits(beginning) || hasBits(within)
  }
}

/** Adds the entries whose canonical name begins so to one set, and those where that is all of it to another one. */
function addBeginnings(bits: Bits, block: Block, letters: string, whole?: Bits): void {
  const { names, isInOrder, size } = block
  const isWhole = (slot: number) => names.lengthOf(slot) === letters.length
  if (isInOrder) {
    const [from, to] = beginningsIn(block, letters)
    addRange(bits, from, to)
    for (let slot = from; whole !== undefined && slot < to && isWhole(slot); slot++) addBit(whole, slot)
  } else
    for (let slot = 0; slot < size; slot++) {
      if (!names.beginsWith(slot, letters)) continue
      addBit(bits, slot)
      if (whole !== undefined && isWhole(slot)) addBit(whole, slot)
    }
}

/** From which slot to which the names of a block in order begin so. */
function beginningsIn(
  { names, nameKeys, size }: Block,
  letters: string,
): readonly [from: number, to: number] {
  let from = placeOf(nameKeys, nameKey(letters), size)
  let to = placeOf(nameKeys, lastKey(letters) + 1, size)
  // The keys tell the first letters only.
  while (from < to && !names.beginsWith(from, letters)) from++
  while (from < to && !names.beginsWith(to - 1, letters)) to--
  return [from, to]
}
