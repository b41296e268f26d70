import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { realUplink } from '../real/real-uplink.ts'
import type { HomeSpec } from '../support/cargo.ts'
import { makeCertificate } from '../support/certificate.ts'
import { generatedWorkspace } from '../support/generated-workspace.ts'
import { ensureTools, requireCargo } from '../support/tools.ts'
import { fetchCold } from './cargo-fetch.ts'
import { type ColdRegistrySpec, startColdRegistry } from './cold-registry.ts'
import { type ColdResult, type Fetch, renderColdTable, seconds, waste } from './cold-table.ts'
import { type ColdUplink, startColdUplink } from './cold-uplink.ts'
import { rotate } from './contest.ts'

const LATENCY_MS = 50
/** What `cargo fetch` may take with prefetch, against without. */
const MAX_RATIO = 0.25
/** The share of uplink requests that may have been in vain. */
const MAX_WASTE = 0.15
const REPLACED = { source: { 'crates-io': { 'replace-with': 'ours' } } }

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    /** The generated workspace, even where crates.io can be reached. */
    generated: { type: 'boolean', default: false },
    /** The uplink packs its index files, as most that are public do. */
    packed: { type: 'boolean', default: false },
    /** Only cargo straight to the uplink. */
    straight: { type: 'boolean', default: false },
  },
})

interface Contestant {
  readonly name: string
  readonly fetches: Fetch[]
  run(): Promise<Fetch>
}

await requireCargo()
await ensureTools(['openssl'])
const work = await mkdtemp(join(tmpdir(), 'cargo-cold-'))
const uplinks: ColdUplink[] = []
try {
  await measure()
} finally {
  for (const uplink of uplinks) await uplink.stop()
  await rm(work, { recursive: true, force: true })
}

async function measure(): Promise<void> {
  const real = flags.generated ? undefined : await realUplink()
  const manifest = real?.manifest ?? generatedWorkspace().manifest
  const certificate = await makeCertificate(work)
  const spec = {
    latencyMs: LATENCY_MS,
    packed: flags.packed,
    ...(real !== undefined && { folder: real.folder }),
  }
  const http = await startColdUplink(spec)
  uplinks.push(http)
  const http2 = await startColdUplink({ ...spec, certificate })
  uplinks.push(http2)

  let lock = real?.lock
  const fetched = async (home: Partial<HomeSpec>, uplink: ColdUplink): Promise<Fetch> => {
    await uplink.takeRequests()
    const result = await fetchCold(manifest, home)
    lock ??= result.lock
    if (result.lock !== lock) throw new Error('the lock file is another one than that of the first')
    const requests = (await uplink.takeRequests()).filter((path) => !path.endsWith('/config.json'))
    return { seconds: result.seconds, requests }
  }
  const ours = async (registrySpec: ColdRegistrySpec): Promise<Fetch> => {
    const registry = await startColdRegistry(work, { url: http2.url, ca: certificate.certFile }, registrySpec)
    const ca = registrySpec.certificate?.certFile
    const home = { registries: { ours: `sparse+${registry.url}/` }, config: REPLACED, ...(ca && { ca }) }
    try {
      return await fetched(home, http2)
    } finally {
      await registry.stop()
    }
  }
  const prefetched = contestant('with prefetch', () => ours({}))
  const h2c = contestant('with prefetch, h2c', () => ours({ h2c: true }))
  const tls = contestant('with prefetch, TLS', () => ours({ certificate }))
  const plain = contestant('without prefetch', () => ours({ prefetch: 0 }))
  const straight = contestant('straight, http', () => fetched({ cratesIo: http.index }, http))
  const straight2 = contestant('straight, HTTP/2', () =>
    fetched({ cratesIo: http2.index, ca: certificate.certFile }, http2),
  )
  const contestants = flags.straight
    ? [straight, straight2]
    : [prefetched, h2c, tls, plain, straight, straight2]
  await inRotation(contestants, Number(flags.rounds))

  const needed = new Set(straight.fetches.flatMap(({ requests }) => requests))
  const crates = lock?.match(/^checksum = /gm)?.length ?? 0
  const direct = manifest.split('[dependencies]\n')[1]?.trim().split('\n').length ?? 0
  print(
    `${real === undefined ? 'generated' : 'real'} workspace: ${direct} direct dependencies, ${crates} crates`,
  )
  const files = flags.packed ? 'packed' : 'not packed'
  print(`index files of the uplink: ${files}`)
  print(
    `${flags.rounds} rounds, ${LATENCY_MS} ms from the uplink to every answer, and for every connection\n`,
  )
  print(renderColdTable(contestants, flags.straight ? [straight2] : [plain, straight2], needed))
  if (!flags.straight) judge({ prefetched, h2c, tls, plain, straight2 }, needed)
}

function contestant(name: string, run: () => Promise<Fetch>): Contestant {
  return { name, fetches: [], run }
}

/** Who is first changes with the round. */
async function inRotation(contestants: readonly Contestant[], rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++)
    for (const { fetches, run } of rotate(contestants, round)) fetches.push(await run())
}

type Judged = Readonly<Record<'prefetched' | 'h2c' | 'tls' | 'plain' | 'straight2', ColdResult>>

function judge({ prefetched, h2c, tls, plain, straight2 }: Judged, needed: ReadonlySet<string>): void {
  const ratio = seconds(prefetched) / seconds(plain)
  const wasted = Math.max(...[prefetched, h2c, tls].map((result) => waste(result, needed).share))
  const rows: readonly (readonly [boolean, string])[] = [
    [ratio <= MAX_RATIO, `must: ≤ ${MAX_RATIO} of the time without prefetch: ${ratio.toFixed(2)}`],
    [wasted <= MAX_WASTE, `must: ≤ ${100 * MAX_WASTE} % wasted: ${(100 * wasted).toFixed(1)} %`],
  ]
  for (const [met, text] of rows) print(`${met ? 'met ' : 'MISSED'} ${text}`)
  for (const result of [prefetched, h2c, tls]) {
    const part = seconds(result) / seconds(straight2)
    print(`${part < 1 ? 'met ' : 'not met'} goal: ${result.name} ÷ straight over HTTP/2: ${part.toFixed(2)}`)
  }
  if (rows.some(([met]) => !met)) process.exitCode = 1
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
