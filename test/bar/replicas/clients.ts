import { setTimeout as sleep } from 'node:timers/promises'
import { downloadPath, largeCrate } from '../../http/proxied.ts'
import { type CrateFile, crateFile } from '../../support/crate-file.ts'
import { download, sha256 } from '../../support/download.ts'
import type { Uplink } from '../../support/uplink.ts'
import { atMost, exactly, type Figure, note } from '../figures.ts'
import { IMPATIENT, sentAwayFigures } from '../idle.ts'
import { leavingFigures, startLeakUplink } from '../leaks.ts'
import { baseline, leftovers } from '../leftovers.ts'
import { type Outcome, sendCrate } from '../registry-client.ts'
import { OTHER_TOKEN, type RegistryProcess, startRegistryProcess } from '../registry-process.ts'
import { openSlowClients } from '../slow-clients.ts'
import { stormOptions } from '../storm.ts'
import { withoutBackends } from './backends.ts'
import type { Context, Place } from './place.ts'

const MiB = 1024 * 1024
/** More than the buffers of the connections between. */
const LARGE = 9 * MiB
/** Of stored crates, and as many of an uplink that nobody has fetched yet. */
const LARGE_CRATES = 4
const SMALL_CRATES = 16
/** Somebody who takes nothing for so long is sent away. */
const SEND_TIMEOUT_MS = 6_000
/** So many ask at once, before and afterwards. */
const BURST = 200
/** What V8 lets stand, caches that fill, and what one reader may cost. */
const MAX_RESIDENT_MIB = 192
const MAX_HELD_MIB = 16

export interface ClientsSpec {
  /** Clients that leave, and as many HEADs and failing fetches, over both replicas. */
  readonly each: number
  /** Those that only connect to each replica, beside slow heads and bodies; 0: neither. */
  readonly connections: number
  /** Those that ask each replica for a large crate, and read nothing of it. */
  readonly deaf: number
}

/** Clients of two replicas that leave, never read, or send slowly: what is left of them soon after. */
export async function clientFigures(
  context: Context,
  place: Place & { readonly redis: string },
  { each, connections, deaf }: ClientsSpec,
): Promise<readonly Figure[]> {
  const uplink = await startLeakUplink(context)
  const replicas = await startObserved(context, place, uplink)
  const near = await publishAll(replicas[0], LARGE_CRATES, (n) => largeCrate(`near-${n}`, '1.0.0', LARGE, n))
  const small = await publishAll(replicas[0], SMALL_CRATES, (n) => crateFile(`small-${n}`))
  // Everything that is made once, and kept.
  for (const replica of replicas) await burst(replica, small)
  const held = await Promise.all(replicas.map((replica) => replica.held()))
  const before = replicas.map((replica) => replica.memory())
  let peak = 0
  const watching = setInterval(() => {
    peak = Math.max(peak, ...replicas.map((replica, n) => replica.memory() - (before[n] ?? 0)))
  }, 100)
  const seen = { requests: uplink.requests, connections: () => 0 }
  const figures = [
    ...(await leavingFigures({ registries: replicas, uplink, seen, each })),
    ...(await deafFigures(replicas, { uplink, near, count: deaf, seen })),
    ...(connections === 0 ? [] : await bothSentAway(replicas, connections)),
  ]
  clearInterval(watching)
  const failed = (await Promise.all(replicas.map((replica) => burst(replica, small)))).flat()
  figures.push(exactly('answers other than the right one afterwards', failed.length, 0))
  figures.push(...failed.slice(0, 5).map((it) => note('problem', it)))
  figures.push(atMost('resident memory added at most', peak / MiB, MAX_RESIDENT_MIB, 'MiB'))
  for (const [n, replica] of replicas.entries()) {
    const more = (await replica.held()) - (held[n] ?? 0)
    figures.push(atMost(`memory held afterwards, replica ${n + 1}`, more / MiB, MAX_HELD_MIB, 'MiB'))
  }
  return figures.map((figure) => ({ ...figure, name: `${place.name}: ${figure.name}` }))
}

async function bothSentAway(
  replicas: readonly RegistryProcess[],
  connections: number,
): Promise<readonly Figure[]> {
  const figures = replicas.map((replica, n) =>
    sentAwayFigures(replica, { connections, name: `, replica ${n + 1}` }),
  )
  return (await Promise.all(figures)).flat()
}

/** Two replicas that soon lose patience, without what they keep open to others. */
async function startObserved(
  context: Context,
  { storage, environment, redis }: Place & { readonly redis: string },
  uplink: Uplink,
): Promise<readonly [RegistryProcess, RegistryProcess]> {
  const usual = stormOptions(uplink, 0)
  const cargo = {
    ...{ ...usual, ...IMPATIENT.cargo },
    uplinks: { ...usual.uplinks, patient: { url: uplink.index } },
    packages: {
      ...usual.packages,
      'far-*': { proxy: 'patient' },
      '**': { access: '$all', publish: '$authenticated' },
    },
    limits: { proxied: 2 * LARGE },
  }
  const server = { ...IMPATIENT.server, storage, redis, send_timeout: `${SEND_TIMEOUT_MS}ms` }
  const ports = portsIn({ storage, redis, uplink: uplink.url })
  const start = async () =>
    withoutBackends(await startRegistryProcess(context, cargo, { server, environment }), ports)
  return Promise.all([start(), start()])
}

/** Of every server that the settings name. */
function portsIn(settings: object): readonly number[] {
  return [...JSON.stringify(settings).matchAll(/:\/\/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port))
}

async function publishAll(
  registry: RegistryProcess,
  count: number,
  make: (n: number) => CrateFile,
): Promise<readonly CrateFile[]> {
  const crates = Array.from({ length: count }, (_, n) => make(n))
  for (const crate of crates) {
    const status = await publish(registry, crate)
    if (status !== 200) throw new Error(`${crate.name} is answered with ${status}`)
  }
  return crates
}

interface DeafSpec {
  readonly uplink: Uplink
  readonly near: readonly CrateFile[]
  readonly count: number
  readonly seen: Pick<Uplink, 'requests' | 'connections'>
}

/** Clients that read nothing of what they asked for. */
async function deafFigures(
  replicas: readonly RegistryProcess[],
  { uplink, near, count, seen }: DeafSpec,
): Promise<readonly Figure[]> {
  const far = near.map((_, n) => largeCrate(`far-${n}`, '1.0.0', LARGE, LARGE_CRATES + n))
  for (const crate of far) uplink.publish(crate)
  const names = [...near, ...far].map(({ name }) => name)
  const before = await Promise.all(replicas.map(baseline))
  const clients = await Promise.all(
    replicas.flatMap(({ url }) =>
      names.map((name) => {
        const { port, pathname } = new URL(url)
        const start = `GET ${pathname}${downloadPath(name, '1.0.0')} HTTP/1.1\r\nHost: x\r\n\r\n`
        return openSlowClients({
          port: Number(port),
          count: Math.ceil(count / names.length),
          start,
          reads: false,
        })
      }),
    ),
  )
  await sleep(SEND_TIMEOUT_MS / 6)
  const open = clients.reduce((sum, some) => sum + some.open(), 0)
  const begun = performance.now()
  const beside = await Promise.all(replicas.map((replica, n) => publish(replica, crateFile(`beside-${n}`))))
  const took = performance.now() - begun
  await sleep(SEND_TIMEOUT_MS)
  const title = `${count} that never read`
  const left = await Promise.all(
    replicas.map((replica, n) =>
      leftovers(`${title}, replica ${n + 1}`, replica, seen, before[n] ?? replica.holdings()),
    ),
  )
  for (const some of clients) some.leave()
  return [
    note(`${title}: open on both replicas while others work`, String(open)),
    note(`${title}: time of a publish beside them`, `${took.toFixed(0)} ms`),
    exactly(
      `${title}: publishes beside them other than 200`,
      beside.filter((status) => status !== 200).length,
      0,
    ),
    ...left.flat(),
  ]
}

/** Many requests at a time, each of which has to be answered at once; what is wrong. */
async function burst(registry: RegistryProcess, crates: readonly CrateFile[]): Promise<readonly string[]> {
  const answers = Array.from({ length: BURST }, async (_, n) => {
    const crate = crates[n % crates.length]
    if (crate === undefined) return []
    const got = await download(registry.url + downloadPath(crate.name, crate.version), { keep: false })
    const isRight = got.status === 200 && got.sha256 === sha256(crate.bytes())
    return isRight ? [] : [`${crate.name}: ${got.status}`]
  })
  return (await Promise.all(answers)).flat()
}

async function publish({ url }: RegistryProcess, crate: CrateFile): Promise<Outcome> {
  return sendCrate({ url: () => url, token: OTHER_TOKEN }, crate)
}
