import { setTimeout as sleep } from 'node:timers/promises'
import type { Uplink } from '../support/uplink.ts'
import { atMost, exactly, type Figure } from './figures.ts'
import type { Holdings, RegistryProcess } from './registry-process.ts'

/** After so many milliseconds everything is given back. */
const PATIENCE_MS = 10_000
/** So many descriptors more are no leak. */
const TOLERANCE = 5

/** What a registry holds that has answered its first request. */
export async function baseline(registry: RegistryProcess): Promise<Holdings> {
  await (await fetch(`${registry.url}/config.json`, { headers: { connection: 'close' } })).arrayBuffer()
  await sleep(100)
  return registry.holdings()
}

/** What is left some seconds after the last request, beside connections to the uplink that wait for the next one. */
export async function leftovers(
  title: string,
  registry: RegistryProcess,
  uplink: Pick<Uplink, 'requests' | 'connections'>,
  before: Holdings,
): Promise<readonly Figure[]> {
  const count = () => {
    const { descriptors, sockets, temporary } = registry.holdings()
    return {
      open: uplink.requests.filter(({ ended }) => ended === undefined).length,
      sockets: sockets - uplink.connections() - before.sockets,
      others: descriptors - sockets - (before.descriptors - before.sockets),
      temporary,
    }
  }
  const isBack = ({ open, sockets, others, temporary }: ReturnType<typeof count>) =>
    open === 0 && temporary === 0 && sockets <= 0 && others <= 0
  const end = performance.now() + PATIENCE_MS
  let now = count()
  while (performance.now() < end && !isBack(now)) {
    await sleep(100)
    now = count()
  }
  return [
    exactly(`${title}: requests to the uplink still open`, now.open, 0),
    atMost(`${title}: sockets more than before`, now.sockets, TOLERANCE),
    atMost(`${title}: other descriptors more than before`, now.others, TOLERANCE),
    exactly(`${title}: temporary files left`, now.temporary, 0),
  ]
}
