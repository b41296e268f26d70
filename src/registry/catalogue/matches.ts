import type { Block } from './block.ts'
import { type Fitting, rankOf } from './fits.ts'

/** Rows that fit, in no order, and how well they do. */
export interface Matches {
  readonly rows: Uint32Array<ArrayBuffer>
  /** By position: 0 for the name itself, 1 for one that starts so, 2 for within the name, 3 for elsewhere. */
  readonly ranks: Uint8Array<ArrayBuffer>
}

/** Matches that are being collected: five bytes for each, since there may be a million in one search. */
export interface MatchList {
  add(row: number, rank: number): void
  /** Adds what fits of a block, if it may be seen. */
  addFitting(block: Block, fitting: Fitting, isVisible: (row: number) => boolean): void
  all(): Matches
}

const FIRST = 256
const GROWTH = 2

/** A list with room for so many, to begin with. */
export function createMatches(room: number = FIRST): MatchList {
  let [rows, ranks] = [new Uint32Array(room), new Uint8Array(room)]
  let count = 0

  function makeRoom(wanted: number): void {
    if (wanted <= rows.length) return
    const more = Math.max(FIRST, wanted, GROWTH * rows.length)
    rows = new Uint32Array(rows.buffer.transfer(more * Uint32Array.BYTES_PER_ELEMENT))
    ranks = new Uint8Array(ranks.buffer.transfer(more))
  }

  return {
    add(row, rank) {
      makeRoom(count + 1)
      rows[count] = row
      ranks[count] = rank
      count += 1
    },
    addFitting(block, { slots, fits }, isVisible) {
      makeRoom(count + slots.length)
      for (let i = 0; i < slots.length; i++) {
        const slot = slots[i] ?? 0
        const row = block.rows[slot] ?? 0
        if (!isVisible(row)) continue
        rows[count] = row
        ranks[count] = rankOf(fits[slot] ?? 0)
        count += 1
      }
    },
    all: () => ({ rows: rows.subarray(0, count), ranks: ranks.subarray(0, count) }),
  }
}

/** Frees the memory of matches that nobody looks at any more: as garbage they would pile up to tens of megabytes. */
export function giveUp({ rows, ranks }: Matches): void {
  for (const { buffer } of [rows, ranks]) buffer.transfer(0)
}
