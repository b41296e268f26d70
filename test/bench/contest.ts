import type { Load } from './loads.ts'
import type { Row } from './rows.ts'

/** Something that is measured in rounds. */
export interface Case {
  readonly name: string
  /** Takes so long, or changes so little, that a quick run begins with no more rounds of it than these. */
  readonly quickRounds?: number
  /** What has to be done once, and counts for nothing. */
  warmUp?(): Promise<void>
  /** Who is first changes with the number. */
  round(number: number): Promise<void>
  /** Of the rounds so far. */
  rows(): readonly Row[]
  /** What everybody did, see `renderLoads()`. */
  loads?(): readonly Load[]
}

/** The same, from another first one on. */
export function rotate<T>(items: readonly T[], by: number): readonly T[] {
  const first = by % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}
