/** How much a run measures. */
export interface Pace {
  /** Whether there is everything to compare, also what is no ratio of ours. */
  readonly isWhole: boolean
  readonly rounds: number
  /** How long each load takes. */
  readonly loadMs: number
  /** How long a server is warmed up at most, before each kind of load. */
  readonly warmUpMs: number
  /** Publishes in each round. */
  readonly publishes: number
}

/** Of fewer rounds than these no results are kept. */
export const WHOLE: Pace = { isWhole: true, rounds: 9, loadMs: 2_000, warmUpMs: 2_000, publishes: 200 }

/** So long after its start a quick run begins no further rounds. */
export const QUICK_UNTIL_MS = 95_000

export const QUICK: Pace = { isWhole: false, rounds: 5, loadMs: 250, warmUpMs: 500, publishes: 60 }
