/** Rows that fit, in no order, and how well they do. */
export interface Matches {
  readonly rows: Uint32Array
  /** By position: 0 for the name itself, 1 for one that starts so, 2 for within the name, 3 for elsewhere. */
  readonly ranks: Uint8Array
}

/** Matches that are being collected: five bytes for each, since there may be a million in one search. */
export interface MatchList {
  add(row: number, rank: number): void
  all(): Matches
}

const FIRST = 256

export function createMatches(): MatchList {
  let [rows, ranks] = [new Uint32Array(FIRST), new Uint8Array(FIRST)]
  let count = 0
  return {
    add(row, rank) {
      if (count === rows.length) {
        const [moreRows, moreRanks] = [new Uint32Array(2 * count), new Uint8Array(2 * count)]
        moreRows.set(rows)
        moreRanks.set(ranks)
        rows = moreRows
        ranks = moreRanks
      }
      rows[count] = row
      ranks[count] = rank
      count += 1
    },
    all: () => ({ rows: rows.subarray(0, count), ranks: ranks.subarray(0, count) }),
  }
}
