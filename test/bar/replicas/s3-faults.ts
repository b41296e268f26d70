import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, ProxiedRequest } from '../../hosts/s3-fault-proxy.ts'
import { crateFile } from '../../support/crate-file.ts'
import { pick, type Random, randomFrom } from '../../support/random.ts'
import { exactly, type Figure, note } from '../figures.ts'
import { createHistory, type History } from '../history.ts'
import type { KillableServer } from '../killable-server.ts'
import { problemFigures } from '../last-figures.ts'
import { readIndex } from '../registry-client.ts'
import { bucketPlace, type Context, startReplicas, withRedis } from './place.ts'
import { publishKnown, read } from './readers.ts'

const SEED = 20_261_128
const READERS = 4
const PUBLISHERS = 4
/** Of all requests, where it can happen at all. */
const SHARE = 0.2
const VISIBLE_MS = 1_100

/** What happens to some of the requests. */
const FAULTS: Readonly<Record<string, (request: ProxiedRequest, random: Random) => Fault | undefined>> = {
  '409': ({ method }) =>
    method === 'PUT' ? { kind: 'answer', status: 409, code: 'ConditionalRequestConflict' } : undefined,
  '412 of what was not there': ({ method }) =>
    method === 'PUT' ? { kind: 'answer', status: 412, code: 'PreconditionFailed' } : undefined,
  '503': () => ({ kind: 'answer', status: 503, code: 'SlowDown' }),
  slow: () => ({ kind: 'slow' }),
  cut: (_, random) =>
    pick<Fault>(random, [
      { kind: 'cut-answer', bytes: 5 },
      { kind: 'cut-answer', bytes: 40, reframed: true },
      { kind: 'cut-request' },
      { kind: 'lost' },
    ]),
}

/** Two replicas on an S3 that fails now and then, one way after the other. */
export async function s3FaultFigures(
  context: Context,
  {
    windowMs,
    faults = Object.keys(FAULTS),
  }: { readonly windowMs: number; readonly faults?: readonly string[] },
): Promise<readonly Figure[]> {
  const random = randomFrom(SEED)
  const place = await withRedis(context, await bucketPlace(context))
  const replicas = await startReplicas(context, { ...place, ...place.through })
  const crates = await publishKnown(replicas[0], 'known', 20)
  const history = createHistory(replicas[0])
  const figures: Figure[] = []
  for (const [nth, name] of faults.entries()) {
    place.proxy.plan((request) => (random() < SHARE ? FAULTS[name]?.(request, random) : undefined))
    let over = false
    const isOver = () => over
    const publishing = Promise.all(
      Array.from({ length: PUBLISHERS }, (_, by) =>
        publish(history, replicas[by % 2 ? 1 : 0], `s3-${nth}-${by >> 1}`, by, isOver),
      ),
    )
    const watching = Promise.all(replicas.map((replica) => watch(replica, `s3-${nth}-0`, isOver)))
    const reading = read(replicas, crates, { readers: READERS, random, isOver })
    await sleep(windowMs)
    over = true
    const { answers, wrong, failed } = await reading
    const published = (await publishing).flat()
    const shorter = (await watching).flat()
    place.proxy.plan(() => undefined)
    await sleep(VISIBLE_MS)
    const lost: string[] = []
    for (const replica of replicas) lost.push(...(await history.check(undefined, replica)))
    // A crate that has begun can only end early: clients notice, and come again.
    const cut = failed.filter((it) => /\/download: 0 /.test(it))
    const not503 = failed.filter((it) => !cut.includes(it) && !/: 503 /.test(it))
    const odd = published.filter((status) => status !== 200 && status !== 503)
    const problems = [...wrong, ...shorter, ...lost, ...not503, ...odd.map((it) => `a publish: ${it}`)]
    const title = `S3 answering ${name}`
    figures.push(
      note(
        `${title}: reads, of these 503, and crates cut short`,
        `${answers}, ${failed.length - cut.length}, ${cut.length}`,
      ),
      note(
        `${title}: publishes, of these done`,
        `${published.length}, ${published.filter((it) => it === 200).length}`,
      ),
      exactly(`${title}: wrong, shorter, lost, or neither right nor 503`, problems.length, 0),
      ...problemFigures(problems),
    )
  }
  return figures
}

/** One version after the other; `undefined`: an answer that is never right. */
async function publish(
  history: History,
  replica: KillableServer,
  name: string,
  by: number,
  isOver: () => boolean,
): Promise<readonly (number | undefined)[]> {
  const statuses: (number | undefined)[] = []
  for (let n = 0; !isOver(); n++) {
    const crate = crateFile(name, `1.${by}.${n}`)
    const status = await history.publish(crate, replica)
    // Nobody else publishes this version: that it exists is a lie.
    statuses.push(status === 409 ? undefined : status)
    // Whoever was told to come again does so, with the same bytes.
    if (status === 503) await history.publish(crate, replica)
  }
  return statuses
}

/** Index files only grow here. */
async function watch(
  replica: KillableServer,
  name: string,
  isOver: () => boolean,
): Promise<readonly string[]> {
  const problems: string[] = []
  let longest = 0
  while (!isOver()) {
    const lines = await readIndex(replica, name)
    if (typeof lines === 'string') {
      if (!lines.endsWith('503')) problems.push(`${name}: ${lines}`)
    } else if (lines.length < longest) problems.push(`${name}: ${lines.length} lines after ${longest}`)
    else longest = lines.length
    await sleep(20)
  }
  return problems
}
