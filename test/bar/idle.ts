import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { crateFile, publishBody } from '../support/crate-file.ts'
import { atMost, exactly, type Figure, median, note } from './figures.ts'
import { baseline, leftovers } from './leftovers.ts'
import { OTHER_TOKEN, PUBLISH_TOKEN, type RegistryProcess, startRegistryProcess } from './registry-process.ts'
import { openSlowClients, type SlowClients } from './slow-clients.ts'
import type { Context } from './storm-uplink.ts'

const MiB = 1024 * 1024
const VERSIONS = 20
const PARALLEL = 4
/** Heads and bodies that never end, of strangers, and bodies of a user who may publish: more than one may have at a time. */
const SLOW = { heads: 500, bodies: 500, publishes: 100 } as const
/** Of bodies that begin well, in bytes. */
const BODY = 64 * 1024
/** What a connection may cost that does nothing, or next to nothing. */
const MAX_CONNECTION = 24 * 1024
/** Where nobody leaves, the server has to lose patience: within these, and a look at them every half of the head's. */
const PATIENCE = { header: 6_000, body: 2_000 } as const
/** The quietest of these tells what the server needs, without what else the machine does. */
const ROUNDS = 5
/** Settings of a registry that soon loses patience. */
export const IMPATIENT = {
  cargo: { rate_limits: { publish: false }, client_body_timeout: `${PATIENCE.body}ms` },
  server: { client_header_timeout: `${PATIENCE.header}ms`, keepalive_timeout: `${PATIENCE.header}ms` },
} as const
const NO_UPLINK = { requests: [], connections: () => 0 }

export interface IdleSpec {
  readonly connections: number
  /** Index files that other clients read, each time. */
  readonly reads: number
}

/** Ten thousand clients that only connect, and hundreds whose heads and bodies never end, beside some that work. */
export async function idleFigures(context: Context, spec: IdleSpec): Promise<readonly Figure[]> {
  return [...(await leavingFigures(context, spec)), ...(await stayingFigures(context, spec))]
}

async function leavingFigures(
  context: Context,
  { connections, reads }: IdleSpec,
): Promise<readonly Figure[]> {
  const registry = await startRegistryProcess(context, { uplinks: {}, rate_limits: { publish: false } })
  for (let n = 0; n < VERSIONS; n++) await publish(registry, PUBLISH_TOKEN, `1.0.${n}`)
  await readAll(registry, reads)
  const held = await baseline(registry)
  const alone = await readAll(registry, reads)
  const before = registry.memory()
  const slow = await crowd(registry, connections)
  const beside = await readAll(registry, reads)
  const count = connections + SLOW.heads + SLOW.bodies + SLOW.publishes
  const added = registry.memory() - before
  const published = await publish(registry, OTHER_TOKEN, '1.0.0', 'other')
  const open = slow.reduce((sum, clients) => sum + clients.open(), 0)
  for (const clients of slow) clients.leave()
  const title = `${count.toLocaleString('en')} idle and slow connections`
  return [
    note(`${title}: open while others work`, open.toLocaleString('en')),
    note(`${title}: time of an index file, median and p99, without`, renderTimes(alone)),
    note(`${title}: the same, with them`, renderTimes(beside)),
    exactly(`${title}: index files read wrong`, alone.wrong + beside.wrong, 0),
    atMost(`${title}: processor time for an index file, times that without`, beside.work / alone.work, 2),
    atMost(`${title}: time of an index file, p99, times that without`, beside.p99 / alone.p99, 2),
    exactly(`${title}: status of another user's publish`, published, 200),
    atMost(`${title}: memory added`, added / MiB, (count * MAX_CONNECTION) / MiB, 'MiB'),
    ...(await leftovers(`${title}, after they left`, registry, NO_UPLINK, held)),
  ]
}

async function stayingFigures(context: Context, { connections }: IdleSpec): Promise<readonly Figure[]> {
  const registry = await startRegistryProcess(
    context,
    { uplinks: {}, ...IMPATIENT.cargo },
    { server: IMPATIENT.server },
  )
  return sentAwayFigures(registry, { connections })
}

/** Who neither asks nor leaves is sent away, by a registry that is `IMPATIENT`. */
export async function sentAwayFigures(
  registry: RegistryProcess,
  { connections, name = '' }: { readonly connections: number; readonly name?: string },
): Promise<readonly Figure[]> {
  await publish(registry, PUBLISH_TOKEN, '1.0.0')
  const held = await baseline(registry)
  const slow = await crowd(registry, connections)
  // A body that began well is fast enough at the first look, after twice its time, and too slow at the second; those of
  // a user who has too many have to wait for their turn before.
  await sleep(Math.max(1.5 * PATIENCE.header, 8 * PATIENCE.body))
  const title = `${connections.toLocaleString('en')} that stay, and slow ones${name}`
  const left = await leftovers(title, registry, NO_UPLINK, held)
  const statuses = slow.flatMap(({ answers }) =>
    answers.flatMap((answer) => /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? []),
  )
  for (const clients of slow) clients.leave()
  return [
    ...left,
    note(`${title}: answers`, renderCounts(statuses)),
    exactly(
      `${title}: answers other than 401, 408 and 503`,
      statuses.filter((it) => !['401', '408', '503'].includes(it)).length,
      0,
    ),
    exactly(`${title}: crashes and unhandled rejections`, registry.isRunning() ? 0 : 1, 0),
  ]
}

async function crowd(registry: RegistryProcess, idle: number): Promise<readonly SlowClients[]> {
  const { port: text, pathname } = new URL(registry.url)
  const port = Number(text)
  const body = publishBody(crateFile('slow').add('slow-1.0.0/more.bin', randomBytes(BODY)))
  const put = (header: string) =>
    `PUT ${pathname}/api/v1/crates/new HTTP/1.1\r\nHost: x\r\n${header}Content-Length: ${body.length}\r\n\r\n`
  return [
    await openSlowClients({ port, count: idle }),
    await openSlowClients({
      port,
      count: SLOW.heads,
      start: `GET ${pathname}/config.json HTTP/1.1\r\nHost: x\r\nX: `,
      drip: 'x',
    }),
    await openSlowClients({ port, count: SLOW.bodies, start: put(''), drip: 'x' }),
    await openSlowClients({
      port,
      count: SLOW.publishes,
      start: Buffer.concat([Buffer.from(put(`Authorization: ${PUBLISH_TOKEN}\r\n`)), body.subarray(0, BODY)]),
      drip: 'x',
    }),
  ]
}

/** Reads an index file again and again, over a few connections. */
async function readAll(registry: RegistryProcess, reads: number) {
  const { origin, pathname } = new URL(registry.url)
  const pool = new Pool(origin, { connections: PARALLEL })
  let wrong = 0
  async function round(): Promise<readonly number[]> {
    const times: number[] = []
    let left = reads / ROUNDS
    async function client(): Promise<void> {
      while (left-- > 0) {
        const begun = performance.now()
        const { statusCode, body } = await pool.request({ method: 'GET', path: `${pathname}/fo/ob/foobar` })
        const lines = (await body.text()).trim().split('\n').length
        times.push(performance.now() - begun)
        if (statusCode !== 200 || lines !== VERSIONS) wrong += 1
      }
    }
    await Promise.all(Array.from({ length: PARALLEL }, client))
    return times
  }
  const before = registry.work()
  const rounds = []
  for (let n = 0; n < ROUNDS; n++) rounds.push(await round())
  const work = registry.work() - before
  await pool.destroy()
  return { median: Math.min(...rounds.map(median)), p99: Math.min(...rounds.map(p99)), wrong, work }
}

async function publish(
  registry: RegistryProcess,
  token: string,
  version: string,
  name = 'foobar',
): Promise<number> {
  const answer = await fetch(`${registry.url}/api/v1/crates/new`, {
    method: 'PUT',
    headers: { authorization: token },
    body: publishBody(crateFile(name, version)),
  })
  await answer.arrayBuffer()
  return answer.status
}

function p99(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN
}

function renderTimes(times: { readonly median: number; readonly p99: number }): string {
  return `${times.median.toFixed(1)} ms, ${times.p99.toFixed(1)} ms`
}

function renderCounts(statuses: readonly string[]): string {
  const counts = [...new Set(statuses)].sort().map((it) => [statuses.filter((one) => one === it).length, it])
  return counts.map(([count, status]) => `${count} × ${status}`).join(', ')
}
