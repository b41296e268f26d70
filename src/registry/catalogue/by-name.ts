import { countBits, lowestBit, WORD_BITS } from './bits.ts'
import type { Block } from './block.ts'
import { firstOf } from './first-of.ts'
import { LEVELS } from './fits.ts'
import { type Matches, type Part, wordsOfPart } from './matches.ts'
import { NAME_KEYS } from './name-key.ts'
import { placeOf } from './numbers.ts'

/** From which row to which, counted in the order of names. */
type Window = readonly [from: number, to: number]

/** A part of the crates that fit, in the order of names. */
interface Run {
  readonly count: number
  /** How many of its names are before all with this key. */
  before(nameKey: number): number
  /** The slots of its names from one key up to another, that one included. */
  between(low: number, high: number): readonly number[]
  readonly block: Block
}

/** Rows by name, all of them alike. */
export function rowsByName(matches: Matches, window: Window, pause: () => Promise<void>) {
  return inWindow(runsOf(matches, -1, LEVELS - 1), window, pause)
}

/** Rows by how well they fit, and by name where they fit as well. */
export async function rowsByFit({ parts, total }: Matches, [from, to]: Window, pause: () => Promise<void>) {
  const rows: number[] = []
  let before = 0
  for (let level = 0; level < LEVELS && before < Math.min(to, total); level++) {
    const runs = runsOf({ parts, total }, level - 1, level)
    rows.push(...(await inWindow(runs, [Math.max(0, from - before), to - before], pause)))
    before += sizeOf(runs)
  }
  return rows
}

/**
 * Where so many names come from that are in order, nobody looks at those before and behind the window: how many names
 * are before a key takes a few steps for each block, so that the keys of its ends are found by halving.
 */
async function inWindow(runs: readonly Run[], [from, to]: Window, pause: () => Promise<void>) {
  const end = Math.min(to, sizeOf(runs))
  if (from >= end) return []
  const [low, high] = [from === 0 ? 0 : keyAt(runs, from), keyAt(runs, end - 1)]
  const items = runs.flatMap(({ block, between }) =>
    between(low, high).map((slot) => ({ key: block.nameKeys[slot] ?? 0, block, slot })),
  )
  const names: string[] = []
  const nameOf = (item: number) => (names[item] ??= items[item]?.block.names.at(items[item].slot) ?? '')
  const order = {
    first: (item: number) => items[item]?.key ?? 0,
    second: () => 0,
    compare: (a: number, b: number) => (nameOf(a) < nameOf(b) ? -1 : 1),
  }
  const skipped = countBefore(runs, low)
  const found = await firstOf(items.length, order, [from - skipped, end - skipped], pause)
  return found.map((item) => items[item]?.block.rows[items[item].slot] ?? 0)
}

function sizeOf(runs: readonly Run[]): number {
  return runs.reduce((sum, { count }) => sum + count, 0)
}

function countBefore(runs: readonly Run[], nameKey: number): number {
  let count = 0
  for (const run of runs) count += run.before(nameKey)
  return count
}

/** The key of the name at a place. */
function keyAt(runs: readonly Run[], place: number): number {
  let [low, high] = [0, NAME_KEYS]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (countBefore(runs, middle + 1) > place) high = middle
    else low = middle + 1
  }
  return low
}

/** What fits as well as `level`, but not as well as `better`; there is no level -1. */
function runsOf({ parts }: Matches, better: number, level: number): readonly Run[] {
  return parts.map((part) => (part.block.isInOrder ? orderedRun : openRun)(part, better, level))
}

/** The bits of a word. */
function bitsAt({ levels }: Part, words: number, better: number, level: number, word: number): number {
  const bits = levels[level * words + word] ?? 0
  return better < 0 ? bits : bits & ~(levels[better * words + word] ?? 0)
}

function slotsOf(part: Part, better: number, level: number, [from, to]: Window): readonly number[] {
  const words = wordsOfPart(part)
  const slots: number[] = []
  for (let word = from >>> 5; word < words && word * WORD_BITS < to; word++) {
    for (let rest = bitsAt(part, words, better, level, word); rest !== 0; rest &= rest - 1) {
      const slot = word * WORD_BITS + lowestBit(rest)
      if (slot >= from && slot < to) slots.push(slot)
    }
  }
  return slots
}

/** Of a block in order: what is before a key are the bits before a slot. */
function orderedRun(part: Part, better: number, level: number): Run {
  const { block } = part
  const { nameKeys, size } = block
  const words = wordsOfPart(part)
  const sums = new Uint16Array(words)
  let count = 0
  for (let word = 0; word < words; word++) {
    sums[word] = count
    const bits = bitsAt(part, words, better, level, word)
    if (bits !== 0) count += countBits(bits)
  }
  return {
    ...{ count, block },
    before(nameKey) {
      const slot = placeOf(nameKeys, nameKey, size)
      const word = slot >>> 5
      if (word >= words) return count
      const below = (1 << (slot % WORD_BITS)) - 1
      return (sums[word] ?? 0) + countBits(bitsAt(part, words, better, level, word) & below)
    },
    between: (low, high) =>
      slotsOf(part, better, level, [placeOf(nameKeys, low, size), placeOf(nameKeys, high + 1, size)]),
  }
}

/** Of the block that still takes entries. */
function openRun(part: Part, better: number, level: number): Run {
  const { block } = part
  const slots = slotsOf(part, better, level, [0, wordsOfPart(part) * WORD_BITS])
  const keyOf = (slot: number) => block.nameKeys[slot] ?? 0
  const keys = Uint32Array.from(slots, keyOf).sort()
  return {
    ...{ count: slots.length, block },
    before: (nameKey) => placeOf(keys, nameKey),
    between: (low, high) => slots.filter((slot) => keyOf(slot) >= low && keyOf(slot) <= high),
  }
}
