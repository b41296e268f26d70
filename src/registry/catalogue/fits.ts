import { type Block, HIDDEN } from './block.ts'
import { wordsWith } from './dictionary.ts'

/** What entries of blocks are looked for by, in the form in which it is compared with them; all of it must fit. */
export interface Wanted {
  /** Each must occur, in the name or in one of the words. */
  readonly terms: readonly string[]
  /** What the name begins with. */
  readonly letter: string
  /** Of each list one must be among the tags. */
  readonly tags: readonly (readonly number[])[]
}

/**
 * How well the entries of a block fit, by slot: by the place of the term that fits least, as {@link Matches.ranks} are,
 * or {@link HIDDEN}. What is returned is overwritten by the next call.
 */
export type FitsOf = (block: Block) => Uint8Array

/** For each condition one pass over what a block knows of it, and for each but the first one over its entries. */
export function createFits({ terms, letter, tags }: Wanted): FitsOf {
  const conditions: readonly Condition[] = [
    ...tags.map(
      (numbers): Condition =>
        (fits, block) =>
          markTags(fits, block, numbers),
    ),
    ...terms.map(
      (term): Condition =>
        (fits, block) =>
          markTerm(fits, block, term),
    ),
    ...(letter === '' ? [] : ([(fits, block) => markLetter(fits, block, letter)] satisfies Condition[])),
  ]
  let [fits, some] = [new Uint8Array(), new Uint8Array()]
  return (block) => {
    const { size } = block
    if (fits.length < size) [fits, some] = [new Uint8Array(size), new Uint8Array(size)]
    fits.fill(conditions.length === 0 ? 0 : HIDDEN)
    for (const [number, condition] of conditions.entries()) {
      if (number === 0) condition(fits, block)
      else {
        some.fill(HIDDEN)
        condition(some, block)
        worsen(fits, some, size)
      }
    }
    return fits
  }
}

/** Marks the entries that something fits, by how well it does. */
type Condition = (fits: Uint8Array, block: Block) => void

function markTags(fits: Uint8Array, { tags }: Block, numbers: readonly number[]): void {
  for (const number of numbers)
    tags.each(number, (slot) => {
      fits[slot] = 0
    })
}

function markTerm(fits: Uint8Array, { dictionary, words, names }: Block, term: string): void {
  for (const number of wordsWith(dictionary, term))
    words.each(number, (slot) => {
      fits[slot] = 3
    })
  names.find(term, (slot, at, length) => {
    fits[slot] = at > 0 ? 2 : length > term.length ? 1 : 0
  })
}

function markLetter(fits: Uint8Array, block: Block, letter: string): void {
  block.names.find(letter, (slot, at) => {
    if (at === 0) fits[slot] = 0
  })
}

function worsen(fits: Uint8Array, some: Uint8Array, size: number): void {
  for (let slot = 0; slot < size; slot++)
    if ((some[slot] ?? 0) > (fits[slot] ?? 0)) fits[slot] = some[slot] ?? 0
}
