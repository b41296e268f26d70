import { crateFile } from '../support/crate-file.ts'
import { ensureTools } from '../support/tools.ts'
import { exactly, type Figure, note } from './figures.ts'
import { createHistory } from './history.ts'
import { type KillableServer, startKillable } from './killable-server.ts'
import { lastFigures, problemFigures } from './last-figures.ts'
import { type Outcome, publishedState } from './registry-client.ts'
import { type Point, pointsOf, strike } from './strike.ts'

type Context = { after(done: () => Promise<void>): void }

/** The disk refuses each sync of a publish, of a file or a folder, once. */
export async function syncFailureFigures(
  context: Context,
  { points: wanted }: { readonly points?: number } = {},
): Promise<readonly Figure[]> {
  await ensureTools(['strace'])
  const server = await startKillable(context, { threads: 1 })
  const history = createHistory(server)
  const publish = (n: number) => history.publish(crateFile(`synced-${n}`))
  await publish(0)
  await server.restart()
  const every = await pointsOf(server, () => publish(1))
  const syncs = every.filter(({ call }) => /^f(data)?sync$/.test(call.name)).slice(0, wanted)
  const seen: Refused[] = []
  for (const [nth, point] of syncs.entries()) seen.push(await refuse(server, point, nth + 2, publish))
  const problems = seen.flatMap((one) => one.problems)
  const refused = seen.filter(({ isRefused }) => isRefused)
  const visible = refused.filter(({ isVisible }) => isVisible)
  return [
    note('syncs refused in a publish', `${syncs.length}: ${refused.length} answered with 5xx`),
    note('answered with success: what was not synced is derived', String(seen.length - refused.length)),
    note('answered with 5xx, and complete all the same: the last sync', String(visible.length)),
    exactly('half-visible, wrongly acknowledged, or not well later', problems.length, 0),
    ...problemFigures(problems),
    ...(await lastFigures('syncs refused', server, history)),
  ]
}

interface Refused {
  readonly isRefused: boolean
  readonly isVisible: boolean
  readonly problems: readonly string[]
}

async function refuse(
  server: KillableServer,
  point: Point,
  n: number,
  publish: (n: number) => Promise<Outcome>,
): Promise<Refused> {
  await server.restart()
  const { outcome, survived } = await strike(server, point, 'error=EIO', () => publish(n))
  const state = await publishedState(server, `synced-${n}`, '1.0.0')
  const isRefused = outcome !== undefined && outcome >= 500
  const problems = survived ? [] : ['the server has ended']
  if (typeof state !== 'string') problems.push(state.problem)
  if (!isRefused && (outcome !== 200 || state !== 'done')) problems.push(`answered with ${outcome}`)
  // The disk is well again.
  const next = await publish(n)
  if (next !== (state === 'done' ? 409 : 200)) problems.push(`the next try is answered with ${next}`)
  return {
    isRefused,
    isVisible: state === 'done',
    problems: problems.map((problem) => `${point.call.text}: ${problem}`),
  }
}
