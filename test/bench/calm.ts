import type { Case } from './contest.ts'
import type { Row } from './rows.ts'

/** In a calm round others take no more of the processors' time than this. */
export const CALM = 0.1
/** Where fewer rounds than these were calm, all are judged. */
export const ENOUGH = 3

/** A case of which is known in which rounds it was disturbed. */
export interface WatchedCase extends Case {
  /** Of the calm rounds, or of all where hardly any was calm. */
  calmRows(): readonly Row[]
}

/** Watches by `watch`, which begins anew with each call, what others take of the processors in each round. */
export function watchedCase(it: Case, watch: () => () => number): WatchedCase {
  const calm: boolean[] = []
  const ofCalm = (values: readonly number[]) => values.filter((_, round) => calm[round])
  return {
    ...it,
    async round(number) {
      const shareOfOthers = watch()
      await it.round(number)
      calm.push(shareOfOthers() <= CALM)
    },
    calmRows() {
      if (calm.filter(Boolean).length < ENOUGH) return it.rows()
      return it.rows().map((row) => ({
        ...row,
        ours: ofCalm(row.ours),
        ...(row.theirs !== undefined && { theirs: ofCalm(row.theirs) }),
      }))
    },
  }
}
