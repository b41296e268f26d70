import { setTimeout as sleep } from 'node:timers/promises'
import { crateFile } from '../../support/crate-file.ts'
import { atMost, type Figure, median, note } from '../figures.ts'
import type { KillableServer } from '../killable-server.ts'
import { readIndex, sendCrate } from '../registry-client.ts'
import { type Context, type Place, startReplicas } from './place.ts'

const LOOK_MS = 10
const LIMIT_MS = 1_000
const PATIENCE_MS = 10_000

/**
 * How long after its answer a publish is not yet in the index of the other replica, which was asked just before: the
 * begin of the last request that did not show it, since how long an answer takes is another matter.
 */
export async function visibleFigures(
  context: Context,
  place: Place,
  { publishes }: { readonly publishes: number },
): Promise<readonly Figure[]> {
  const [one, other] = await startReplicas(context, place)
  // In a place of which this is the second measurement its crate has versions already.
  const name = place.redis === undefined ? 'seen' : 'seen-with-redis'
  await sendCrate(one, crateFile(name, '0.1.0'))
  const times: number[] = []
  for (let n = 0; n < publishes; n++) {
    const version = `1.0.${n}`
    // From now on it trusts what it knows.
    await readIndex(other, name)
    const status = await sendCrate(one, crateFile(name, version))
    if (status !== 200) throw new Error(`a publish is answered with ${status}`)
    times.push(await hiddenFor(other, name, version))
  }
  const title = `${place.name}, ${place.redis === undefined ? 'without' : 'with'} Redis: last request that does not show a publish of the other replica`
  return [
    note(`${title}: median of ${publishes}`, `${median(times).toFixed(0)} ms`),
    atMost(`${title}: longest`, Math.max(...times), LIMIT_MS, 'ms'),
  ]
}

async function hiddenFor(replica: KillableServer, name: string, version: string): Promise<number> {
  const answered = performance.now()
  let hidden = 0
  while (hidden < PATIENCE_MS) {
    const begun = performance.now() - answered
    const lines = await readIndex(replica, name)
    if (typeof lines !== 'string' && lines.some(({ vers }) => vers === version)) break
    hidden = begun
    await sleep(LOOK_MS)
  }
  return hidden
}
