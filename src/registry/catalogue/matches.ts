import { countBits, lowestBit, WORD_BITS } from './bits.ts'
import type { Block } from './block.ts'
import { LEVELS, type Levels } from './fits.ts'

/** What fits of a block. */
export interface Part {
  /** As it was then; entries that an open one has got since are not in the sets. */
  readonly block: Block
  readonly levels: Levels
}

/** Crates that fit: a few bits for each entry of a block, so that a million of them are neither copied nor counted. */
export interface Matches {
  readonly parts: readonly Part[]
  readonly total: number
}

/** Words of each set of a part. */
export function wordsOfPart({ levels }: Part): number {
  return levels.length / LEVELS
}

export function matchesOf(parts: readonly Part[]): Matches {
  let total = 0
  for (const part of parts) {
    const { levels } = part
    const words = wordsOfPart(part)
    for (let at = levels.length - words; at < levels.length; at++) total += countBits(levels[at] ?? 0)
  }
  return { parts, total }
}

/** The slots of a part that fit, in rising order. */
export function eachSlot(part: Part, found: (slot: number) => void): void {
  const { levels } = part
  const from = levels.length - wordsOfPart(part)
  for (let at = from; at < levels.length; at++)
    for (let rest = levels[at] ?? 0; rest !== 0; rest &= rest - 1)
      found((at - from) * WORD_BITS + lowestBit(rest))
}

/** Takes a slot out of a part. */
export function leaveOut(part: Part, slot: number): void {
  const { levels } = part
  const words = wordsOfPart(part)
  const mask = ~(1 << (slot % WORD_BITS))
  for (let at = slot >>> 5; at < levels.length; at += words) levels[at] = (levels[at] ?? 0) & mask
}

/** How well a slot fits that is in a part: 0 for the name itself, up to 3 for a word. */
export function levelOf(part: Part, slot: number): number {
  const { levels } = part
  const words = wordsOfPart(part)
  let level = 0
  for (
    let at = slot >>> 5;
    level < LEVELS - 1 && ((levels[at] ?? 0) & (1 << (slot % WORD_BITS))) === 0;
    at += words
  )
    level += 1
  return level
}

/** Rows that fit, and by position their name keys. */
export interface MatchRows {
  readonly rows: Uint32Array<ArrayBuffer>
  readonly nameKeys: Uint32Array<ArrayBuffer>
}

/** The rows of all that fit, in no order. */
export function rowsOf({ parts, total }: Matches): MatchRows {
  const [rows, nameKeys] = [new Uint32Array(total), new Uint32Array(total)]
  let count = 0
  for (const part of parts) {
    const { block } = part
    eachSlot(part, (slot) => {
      rows[count] = block.rows[slot] ?? 0
      nameKeys[count] = block.nameKeys[slot] ?? 0
      count += 1
    })
  }
  return { rows, nameKeys }
}
