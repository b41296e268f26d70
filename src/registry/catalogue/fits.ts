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
  /** By slot, how well it fits: one of {@link WHOLE} and the like. */
  readonly fits: Uint8Array
}

/** Of a name, its beginning, what is within it, or a word. Of several conditions the one that fits least is their `|`. */
const [WHOLE, BEGINNING, WITHIN, WORD] = [0b000, 0b001, 0b011, 0b111] as const
/** {@link HIDDEN} has this bit, and nothing that fits. */
const HIDDEN_BIT = 7

/** A place, as {@link Matches.ranks} have it. */
export function rankOf(fit: number): number {
  return 32 - Math.clz32(fit)
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
  let [fits, more, slots] = [new Uint8Array(), new Uint8Array(), new Uint16Array()]
  return (block) => {
    const { size } = block
    if (slots.length < size)
      [fits, more, slots] = [new Uint8Array(size), new Uint8Array(size), new Uint16Array(size)]
    fits.fill(conditions.length === 0 ? WHOLE : HIDDEN)
    for (const [number, condition] of conditions.entries()) {
      if (number === 0) condition(fits, block)
      else {
        more.fill(HIDDEN)
        condition(more, block)
        for (let slot = 0; slot < size; slot++) fits[slot] = (fits[slot] ?? 0) | (more[slot] ?? 0)
      }
    }
    return { slots: slots.subarray(0, collect(slots, fits, block)), fits }
  }
}

/** How many entries fit: their slots are written one after another, without a branch that nobody could predict. */
function collect(slots: Uint16Array, fits: Uint8Array, { size, hidden }: Block): number {
  let count = 0
  for (let slot = 0; slot < size; slot++) {
    slots[count] = slot
    count += 1 - (((fits[slot] ?? 0) | (hidden[slot] ?? 0)) >>> HIDDEN_BIT)
  }
  return count
}

/** Marks the entries that something fits, by how well it does. */
type Condition = (fits: Uint8Array, block: Block) => void

function markTags(fits: Uint8Array, { tags }: Block, numbers: readonly number[]): void {
  for (const number of numbers)
    tags.each(number, (slot) => {
      fits[slot] = WHOLE
    })
}

function markTerm(fits: Uint8Array, { dictionary, words, names }: Block, term: string): void {
  for (const number of wordsWith(dictionary, term))
    words.each(number, (slot) => {
      fits[slot] = WORD
    })
  names.find(term, (slot, at) => {
    fits[slot] = at > 0 ? WITHIN : names.lengthOf(slot) > term.length ? BEGINNING : WHOLE
  })
}

function markLetter(fits: Uint8Array, { names, size }: Block, letter: string): void {
  for (let slot = 0; slot < size; slot++) if (names.beginsWith(slot, letter)) fits[slot] = WHOLE
}
