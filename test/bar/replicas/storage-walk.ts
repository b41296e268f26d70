import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../../hosts/s3-fault-proxy.ts'
import { CHANGE_TITLES, type ChangeKind, changeKinds } from '../changes-under-fire.ts'
import { exactly, type Figure, note } from '../figures.ts'
import { createHistory } from '../history.ts'
import { again } from '../kill-walk.ts'
import type { KillableServer } from '../killable-server.ts'
import { problemFigures } from '../last-figures.ts'
import type { Outcome } from '../registry-client.ts'
import { bucketPlace, type Context, startReplica, withRedis } from './place.ts'

/** Work behind the answer is over by then. */
const SETTLE_MS = 300
/** A change is visible everywhere by then. */
const VISIBLE_MS = 1_100
/** Most of a walk is waiting. */
const AT_A_TIME = 3

/** What becomes of the request at which the server dies. */
const ENDINGS: Readonly<Record<string, Fault>> = {
  'that the store never gets': { kind: 'silent' },
  'that the store still does': { kind: 'lost' },
}

export interface StorageWalkSpec {
  /** Which kinds of change; absent: all. */
  readonly kinds?: readonly string[] | undefined
  /** So many requests of each, from the last one back; absent: every one. */
  readonly points?: number | undefined
}

/**
 * A replica is killed at each request to S3 of one change, and both replicas are asked what they know. Some kinds of
 * change are walked at a time, each in a bucket of its own.
 */
export async function storageWalkFigures(
  context: Context,
  { kinds = CHANGE_TITLES, points }: StorageWalkSpec = {},
): Promise<readonly Figure[]> {
  const found = new Map<string, readonly Figure[]>()
  const left = [...kinds]
  async function walkAll(): Promise<void> {
    for (let title = left.shift(); title !== undefined; title = left.shift())
      found.set(title, await walk(context, title, points))
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, walkAll))
  return kinds.flatMap((title) => found.get(title) ?? [])
}

async function walk(
  context: Context,
  wanted: string,
  points: number | undefined,
): Promise<readonly Figure[]> {
  const place = await withRedis(context, await bucketPlace(context))
  const [victim, witness] = await Promise.all([
    startReplica(context, { ...place, ...place.through }),
    startReplica(context, place),
  ])
  const history = createHistory(victim)
  const kind = changeKinds(victim, history).find(({ title }) => title === wanted)
  const witnessed = changeKinds(witness, history).find(({ title }) => title === wanted)
  if (kind === undefined || witnessed === undefined) throw new Error(`nobody knows what a ${wanted} is`)
  await kind.prepare(0)
  await victim.restart()
  const total = await requestsOf(place.proxy, () => kind.make(0))
  const chosen = Array.from({ length: total }, (_, n) => n + 1).slice(-(points ?? total))
  const problems: string[] = []
  let [n, kills] = [0, 0]
  for (const [ending, fault] of Object.entries(ENDINGS))
    for (const nth of chosen) {
      n += 1
      const { struck, found } = await strikeAt({ victim, kind, witnessed, n, nth, fault, proxy: place.proxy })
      if (struck) kills += 1
      problems.push(...found.map((problem) => `request ${nth} ${ending}: ${problem}`))
    }
  // The last one was done again just now.
  await sleep(VISIBLE_MS)
  const lost = await history.check(undefined, witness)
  const name = `S3: kill at a request of a ${wanted}`
  return [
    note(`${name}: kills`, `${kills} at ${chosen.length} of ${total} requests`),
    exactly(`${name}: lost, half-visible or not repeatable`, problems.length, 0),
    exactly(`${name}: contradictions in the end`, lost.length, 0),
    ...problemFigures([...problems, ...lost]),
  ]
}

type Proxy = Awaited<ReturnType<typeof bucketPlace>>['proxy']

async function requestsOf(proxy: Proxy, make: () => Promise<Outcome>): Promise<number> {
  proxy.take()
  const outcome = await make()
  await sleep(SETTLE_MS)
  if (outcome !== 200) throw new Error(`the change that is to be watched was answered with ${outcome}`)
  return proxy.take().length
}

interface Strike {
  readonly victim: KillableServer
  readonly kind: ChangeKind
  /** The same kind as the other replica sees it. */
  readonly witnessed: ChangeKind
  readonly n: number
  readonly nth: number
  readonly fault: Fault
  readonly proxy: Proxy
}

async function strikeAt({
  victim,
  kind,
  witnessed,
  n,
  nth,
  fault,
  proxy,
}: Strike): Promise<{ readonly struck: boolean; readonly found: readonly string[] }> {
  await kind.prepare(n)
  await victim.restart()
  let requests = 0
  proxy.plan(() => {
    requests += 1
    if (requests < nth) return undefined
    victim.kill().catch(() => {})
    return requests === nth ? fault : { kind: 'silent' }
  })
  const outcome = await kind.make(n)
  await sleep(SETTLE_MS)
  await victim.kill()
  proxy.plan(() => undefined)
  await Promise.all([victim.start(), sleep(VISIBLE_MS)])
  const states = [await kind.state(n), await witnessed.state(n)].map((state) => JSON.stringify(state))
  const [here, there] = states
  const isRight = here === there && (here === '"done"' || (here === '"undone"' && outcome === undefined))
  const found = isRight ? [] : [`answered with ${outcome}, ${here} here and ${there} there`]
  found.push(...(await again(kind, n, here === '"done"')))
  return { struck: requests >= nth, found }
}
