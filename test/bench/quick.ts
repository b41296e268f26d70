import { type WatchedCase, watchedCase } from './calm.ts'
import type { Case } from './contest.ts'
import { type KeptRatios, keptRatio, regression } from './kept.ts'

/** What seems to have become worse is measured in at least so many more rounds before that is believed. */
const MORE_ROUNDS = 2

export interface QuickSpec {
  /** Of the cases that do not begin with fewer. */
  readonly rounds: number
  readonly kept: KeptRatios
  /** Whether there is time for still more rounds: noise comes out of what seems worse by them, a slowdown does not. */
  hasTime(): boolean
  /** From now on: what others take of the processors' time, 0 to 1. */
  watchOthers(): () => number
}

/** Measures all cases in few rounds, and those again that seem worse than before; what still does, in words. */
export async function quickRun(
  all: readonly Case[],
  { rounds, kept, hasTime, watchOthers }: QuickSpec,
): Promise<readonly string[]> {
  const cases = all.map((it) => watchedCase(it, watchOthers))
  const worse = (it: WatchedCase) => it.calmRows().flatMap((row) => regression(row, kept) ?? [])
  for (let number = 0; number < rounds; number++) {
    process.stderr.write(`round ${number + 1} of ${rounds}\n`)
    for (const it of cases) if (number < (it.quickRounds ?? rounds)) await it.round(number)
  }
  let suspects = cases.filter((it) => worse(it).length > 0)
  for (let more = 0; suspects.length > 0; more++) {
    process.stderr.write(`once more: ${suspects.map(({ name }) => name).join('; ')}\n`)
    for (const it of suspects) {
      if (more >= MORE_ROUNDS && !hasTime()) return suspects.flatMap(worse)
      await it.round(rounds + more)
    }
    suspects = suspects.filter((it) => worse(it).length > 0)
  }
  return []
}

/** What a quick run leaves out of a whole one, in words. */
export function leftOut(
  cases: readonly Case[],
  { rounds, kept }: Pick<QuickSpec, 'rounds' | 'kept'>,
): string {
  const rows = cases.flatMap((it) => it.rows())
  const names = new Set(rows.map(({ name }) => name))
  const fewer = cases.flatMap(({ name, quickRounds = rounds }) =>
    quickRounds < rounds ? [`${name} (${quickRounds})`] : [],
  )
  const unkept = rows.filter((row) => row.unjudged === undefined && keptRatio(row, kept) === undefined)
  const unjudged = rows.flatMap((row) => (row.unjudged ? [`${row.name}, as ${row.unjudged}`] : []))
  const parts = {
    'Begun with fewer rounds': fewer,
    'Shown and not judged, as no ratio of them is kept': unkept.map(({ name }) => name),
    'Shown and not judged either': unjudged,
    'Only in a whole run': [...kept.keys()].filter((name) => !names.has(name)),
  }
  return Object.entries(parts)
    .flatMap(([what, those]) => (those.length > 0 ? [`${what}: ${those.join('; ')}.`] : []))
    .join('\n\n')
}
