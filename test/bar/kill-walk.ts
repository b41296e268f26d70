import { crateFile } from '../support/crate-file.ts'
import { ensureTools } from '../support/tools.ts'
import { type ChangeKind, changeKinds } from './changes-under-fire.ts'
import { exactly, type Figure, note } from './figures.ts'
import { createHistory } from './history.ts'
import { type KillableServer, startKillable } from './killable-server.ts'
import { lastFigures, problemFigures } from './last-figures.ts'
import { publishedState } from './registry-client.ts'
import { type Point, pointsOf, strike } from './strike.ts'

type Context = { after(done: () => Promise<void>): void }

export interface WalkSpec {
  /** Which kinds of change; absent: all. */
  readonly kinds?: readonly string[]
  /** So many calls of each kind, evenly spread; absent: every one. */
  readonly points?: number
}

/** The server is killed at every call by which a change writes, and looked at after the next start. */
export async function walkFigures(context: Context, spec: WalkSpec = {}): Promise<readonly Figure[]> {
  await ensureTools(['strace'])
  const server = await startKillable(context, { threads: 1 })
  const history = createHistory(server)
  const figures: Figure[] = []
  for (const kind of changeKinds(server, history)) {
    if (spec.kinds?.includes(kind.title) ?? true) figures.push(...(await walk(server, kind, spec.points)))
  }
  return [...figures, ...(await lastFigures('walk', server, history))]
}

async function walk(
  server: KillableServer,
  kind: ChangeKind,
  wanted: number | undefined,
): Promise<readonly Figure[]> {
  await kind.prepare(0)
  await server.restart()
  const every = await pointsOf(server, () => kind.make(0))
  const points = spread(every, wanted ?? every.length)
  for (const nth of points.keys()) await kind.prepare(nth + 1)
  const problems: string[] = []
  let kills = 0
  let unknown = 0
  for (const [nth, point] of points.entries()) {
    const n = nth + 1
    await server.restart()
    const { outcome, survived } = await strike(server, point, 'signal=KILL', () => kind.make(n))
    if (!survived) kills += 1
    if (outcome === undefined) unknown += 1
    await server.restart()
    const state = await kind.state(n)
    const isRight = state === 'done' || (state === 'undone' && outcome === undefined)
    if (!isRight) problems.push(`${point.call.text}: ${outcome}, ${JSON.stringify(state)}`)
    problems.push(...(await again(kind, n, state === 'done')).map((it) => `${point.call.text}: ${it}`))
  }
  await readAll(server, kind, points.length)
  return [
    note(`${kind.title}: kills`, `${kills} at ${points.length} of ${every.length} calls`),
    note(`${kind.title}: without an answer`, String(unknown)),
    exactly(`${kind.title}: lost, half-visible or not repeatable`, problems.length, 0),
    ...problemFigures(problems),
  ]
}

/** What is derived of a crate and was not written any more is written when the crate is read next. */
async function readAll(server: KillableServer, kind: ChangeKind, count: number): Promise<void> {
  await server.restart()
  for (let n = 0; n <= count; n++) await kind.state(n)
  await server.stop()
  await server.start()
}

/** Whoever got no answer tries again: the change is made then, or was before. */
export async function again(kind: ChangeKind, n: number, wasDone: boolean): Promise<readonly string[]> {
  const status = await kind.make(n)
  const isRight = status === 200 || (wasDone && status === 409)
  const state = await kind.state(n)
  return isRight && state === 'done' ? [] : [`the next try: ${status}, ${JSON.stringify(state)}`]
}

/** The first publish of all, which makes folders, keys and the catalogue, into an empty folder each time. */
export async function firstPublishFigures(
  context: Context,
  { points: wanted }: Pick<WalkSpec, 'points'> = {},
): Promise<readonly Figure[]> {
  await ensureTools(['strace'])
  const crate = crateFile('first')
  const measured = await startKillable(context, { threads: 1 })
  const every = await pointsOf(measured, () => createHistory(measured).publish(crate))
  const points = spread(every, wanted ?? every.length)
  const problems: string[] = []
  let kills = 0
  for (const point of points) {
    const server = await startKillable(context, { threads: 1 })
    const history = createHistory(server)
    const { survived, outcome } = await strike(server, point, 'signal=KILL', () => history.publish(crate))
    if (!survived) kills += 1
    await server.restart()
    const found = [...(await history.check())]
    const state = await publishedState(server, 'first', '1.0.0')
    const next = await history.publish(crate)
    if (next !== 200 && !(state === 'done' && next === 409))
      found.push(`the next try is answered with ${next}`)
    found.push(...(await history.check()))
    const { isWell, text } = await server.verify()
    if (!isWell) found.push(text)
    problems.push(...found.map((it) => `${point.call.text}: ${outcome}, ${it}`))
    await server.kill()
  }
  return [
    note('first publish of all: kills', `${kills} at ${points.length} of ${every.length} calls`),
    exactly('first publish of all: lost, half-visible or not repeatable', problems.length, 0),
    ...problemFigures(problems),
  ]
}

function spread(points: readonly Point[], wanted: number): readonly Point[] {
  const count = Math.min(wanted, points.length)
  return Array.from({ length: count }, (_, n) => points[Math.floor((n * points.length) / count)] ?? []).flat()
}
