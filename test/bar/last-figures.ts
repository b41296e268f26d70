import { exactly, type Figure, note } from './figures.ts'
import type { History } from './history.ts'
import type { KillableServer } from './killable-server.ts'

/** So many problems are told in full. */
const TOLD = 5

/** What is found in the end, over everything that was done. */
export async function lastFigures(
  title: string,
  server: KillableServer,
  history: History,
): Promise<readonly Figure[]> {
  await server.restart()
  const lost = await history.check()
  await server.stop()
  const { isWell, text } = await server.verify()
  return [
    note(`${title}: acknowledged publishes`, String(history.acknowledged())),
    exactly(`${title}: contradictions in the end`, lost.length, 0),
    exactly(`${title}: runs of \`verify\` with findings`, isWell ? 0 : 1, 0),
    ...(isWell ? [] : [note('verify', text.replaceAll('\n', '; '))]),
    note(`${title}: unfinished files, swept after a day`, String(server.unfinished().length)),
  ]
}

/** The first problems in full. */
export function problemFigures(problems: readonly string[]): readonly Figure[] {
  return problems.slice(0, TOLD).map((problem) => note('problem', problem))
}
