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

/** The entries of a block that fit, until the next block is looked at. */
export interface Fitting {
  /** In rising order. */
  readonly slots: Uint16Array
  /** By slot: the place of the term that fits least, as {@link Matches.ranks} are. */
  readonly ranks: Uint8Array
}

/** For each condition one pass over what a block knows of it, and for each but the first one over its entries. */
export function createFits({ terms, letter, tags }: Wanted): (block: Block) => Fitting {
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
  let [ranks, more, slots] = [new Uint8Array(), new Uint8Array(), new Uint16Array()]
  return (block) => {
    const { size } = block
    if (slots.length < size)
      [ranks, more, slots] = [new Uint8Array(size), new Uint8Array(size), new Uint16Array(size)]
    ranks.fill(conditions.length === 0 ? 0 : HIDDEN)
    for (const [number, condition] of conditions.entries()) {
      if (number === 0) condition(ranks, block)
      else {
        more.fill(HIDDEN)
        condition(more, block)
        worsen(ranks, more, size)
      }
    }
    return { slots: slots.subarray(0, collect(slots, ranks, block)), ranks }
  }
}

/** Of {@link HIDDEN}, and of no rank. */
const HIDDEN_BIT = 7

/** How many entries fit: their slots are written one after another, without a branch that nobody could predict. */
function collect(slots: Uint16Array, ranks: Uint8Array, { size, hidden }: Block): number {
  let count = 0
  for (let slot = 0; slot < size; slot++) {
    slots[count] = slot
    count += 1 - (((ranks[slot] ?? 0) | (hidden[slot] ?? 0)) >>> HIDDEN_BIT)
  }
  return count
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
