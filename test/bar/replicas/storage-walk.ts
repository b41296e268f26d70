import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../../hosts/s3-fault-proxy.ts'
import { type ChangeKind, changeKinds } from '../changes-under-fire.ts'
import { exactly, type Figure, note } from '../figures.ts'
import { createHistory } from '../history.ts'
import { again } from '../kill-walk.ts'
import { type KillableServer, startKillable } from '../killable-server.ts'
import { problemFigures } from '../last-figures.ts'
import type { Outcome } from '../registry-client.ts'
import { bucketPlace, type Context } from './place.ts'

/** Work behind the answer is over by then. */
const SETTLE_MS = 300
/** A change is visible everywhere by then. */
const VISIBLE_MS = 1_100

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

/** A replica is killed at each request to S3 of one change, and both replicas are asked what they know. */
export async function storageWalkFigures(
  context: Context,
  { kinds, points }: StorageWalkSpec = {},
): Promise<readonly Figure[]> {
  const place = await bucketPlace(context)
  const { through, environment } = place
  const victim = await startKillable(context, { environment, settings: { storage: through.storage } })
  const witness = await startKillable(context, { environment, settings: { storage: place.storage } })
  const history = createHistory(victim)
  const seen = new Map(changeKinds(witness, history).map((kind) => [kind.title, kind]))
  const figures: Figure[] = []
  for (const kind of changeKinds(victim, history)) {
    if (kinds?.includes(kind.title) === false) continue
    const witnessed = seen.get(kind.title) ?? kind
    await kind.prepare(0)
    await victim.restart()
    const total = await requestsOf(place.proxy, () => kind.make(0))
    const chosen = Array.from({ length: total }, (_, n) => n + 1).slice(-(points ?? total))
    const problems: string[] = []
    let n = 0
    for (const [ending, fault] of Object.entries(ENDINGS))
      for (const nth of chosen) {
        n += 1
        const found = await strikeAt({ victim, kind, witnessed, n, nth, fault, proxy: place.proxy })
        problems.push(...found.map((problem) => `request ${nth} ${ending}: ${problem}`))
      }
    figures.push(
      note(`S3: kill at a request of a ${kind.title}: kills`, `${n} at ${total} requests`),
      exactly(
        `S3: kill at a request of a ${kind.title}: lost, half-visible or not repeatable`,
        problems.length,
        0,
      ),
      ...problemFigures(problems),
    )
  }
  // The last one was done again just now.
  await sleep(VISIBLE_MS)
  const lost = await history.check(undefined, witness)
  return [
    ...figures,
    exactly('S3: kill at requests: contradictions in the end', lost.length, 0),
    ...problemFigures(lost),
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
}: Strike): Promise<readonly string[]> {
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
  return [
    ...(isRight ? [] : [`answered with ${outcome}, ${here} here and ${there} there`]),
    ...(await again(kind, n, here === '"done"')),
  ]
}
