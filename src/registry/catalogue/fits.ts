import { addBit, addBits, type Bits, noBits, WORD_BITS, wordsFor } from './bits.ts'
import type { Block } from './block.ts'
import { wordsWith } from './dictionary.ts'
import { lastKey, nameKey } from './name-key.ts'
import { placeOf } from './postings.ts'

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

/** Marks the entries of a block that something fits, in the sets of {@link Levels}. */
type Condition = (levels: Levels, block: Block) => void

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
    for (const mark of conditions) {
      more.fill(0)
      mark(more, block)
      if (!intersect(fitting, more, words)) return undefined
    }
    return fitting
  }
}

/** Leaves in each set what fits a condition so well; whether something is left. */
function intersect(fitting: Levels, more: Levels, words: number): boolean {
  let left = 0
  for (let word = 0; word < words; word++) {
    let marked = 0
    for (let at = word; at < fitting.length; at += words) {
      marked |= more[at] ?? 0
      fitting[at] = (fitting[at] ?? 0) & marked
    }
    left |= fitting[(LEVELS - 1) * words + word] ?? 0
  }
  return left !== 0
}

function withTags(numbers: readonly number[]): Condition {
  return (levels, { tags }) => {
    for (const number of numbers) tags.addTo(levels, number)
  }
}

function withTerm(term: string): Condition {
  return (levels, block) => {
    const inWords = levels.subarray(WORD * (levels.length / LEVELS))
    for (const number of wordsWith(block.dictionary, term)) block.words.addTo(inWords, number)
    markNames(levels, block, term)
  }
}

function markNames(levels: Levels, block: Block, term: string): void {
  const { names } = block
  const setLength = levels.length / LEVELS
  const mark = (level: number, slot: number) => addBit(levels, level * setLength * WORD_BITS + slot)
  const beginning = (slot: number) => mark(names.lengthOf(slot) > term.length ? BEGINNING : WHOLE, slot)
  const within = names.withLetter(term)
  if (within === undefined) names.find(term, (slot, at) => (at > 0 ? mark(WITHIN, slot) : beginning(slot)))
  else {
    addBits(levels.subarray(WITHIN * setLength), within)
    eachBeginning(block, term, beginning)
  }
}

function withLetter(letter: string): Condition {
  return (levels, block) => eachBeginning(block, letter, (slot) => addBit(levels, slot))
}

/** The entries whose canonical name begins so. */
function eachBeginning(block: Block, letters: string, found: (slot: number) => void): void {
  const { names, nameKeys, isInOrder, size } = block
  const from = isInOrder ? placeOf(nameKeys, nameKey(letters), size) : 0
  const to = isInOrder ? placeOf(nameKeys, lastKey(letters) + 1, size) : size
  for (let slot = from; slot < to; slot++) if (names.beginsWith(slot, letters)) found(slot)
}
