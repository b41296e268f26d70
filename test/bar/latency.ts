import { Agent } from 'node:http'
import { downloadPath, largeCrate, proxyOptions } from '../http/proxied.ts'
import { startApp } from '../support/app.ts'
import type { CrateFile } from '../support/crate-file.ts'
import { type Download, type DownloadSpec, download } from '../support/download.ts'
import { startUplink } from '../support/uplink.ts'
import { atMost, type Figure, median, note } from './figures.ts'

const KiB = 1024
/** An uplink not far away: its first byte takes so many milliseconds, the others come at this pace. */
const LATENCY_MS = 20
const BYTES_PER_SECOND = 20_000_000 // in steps of a twentieth
/** What streaming through us may cost. */
const MAX_EXTRA_MS = 20

export interface LatencySpec {
  readonly rounds: number
  readonly cases?: number
  readonly slack?: number
}

const CASES = [
  { what: 'crate of 1 MiB, first byte', bytes: 1024 * KiB, of: (got: Download) => got.firstByte },
  { what: 'crate of 100 KiB, last byte', bytes: 100 * KiB, of: (got: Download) => got.lastByte },
  { what: 'crate of 5 MiB, first byte', bytes: 5120 * KiB, of: (got: Download) => got.firstByte },
  { what: 'crate of 900 KiB, last byte', bytes: 900 * KiB, of: (got: Download) => got.lastByte },
]

/**
 * How much later a cold crate begins (1 MiB or more) or ends (smaller) through us than straight from the uplink, by
 * the medians of both ways in rotation; `slack` times the target is allowed.
 */
export async function latencyFigures(
  context: Parameters<typeof startApp>[0],
  { rounds, cases = CASES.length, slack = 1 }: LatencySpec,
): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const { what, bytes, of } of CASES.slice(0, cases)) {
    const crates = Array.from({ length: rounds }, (_, n) => largeCrate(`c${n}`, '1.0.0', bytes, n))
    const { straight, through } = await bothWays(context, crates)
    const [direct, ours] = [median(straight.map(of)), median(through.map(of))]
    figures.push(
      note(`${what}: straight from the uplink`, `${direct.toFixed(1)} ms`),
      atMost(`${what}: added by us, cold`, ours - direct, MAX_EXTRA_MS * slack, 'ms'),
    )
  }
  return figures
}

async function bothWays(context: Parameters<typeof startApp>[0], crates: readonly CrateFile[]) {
  const uplink = await startUplink(context, { crates, latencyMs: LATENCY_MS })
  const app = await startApp(context, { options: proxyOptions(uplink) })
  uplink.fault(/^\/crates\//, { mode: 'drip', bytesPerSecond: BYTES_PER_SECOND })
  const agent = new Agent({ keepAlive: true })
  context.after(async () => agent.destroy())
  const spec: DownloadSpec = { agent, keep: false }
  const straight: Download[] = []
  const through: Download[] = []
  // Cargo has asked for the index by then, and everybody's connections stand.
  await download(`${uplink.origin}/index/config.json`, spec)
  for (const { name } of crates) await download(`${app.url}/2/${name}`, spec)
  for (const { name, version } of crates) {
    straight.push(await download(uplink.origin + uplink.cratePath(name, version), spec))
    through.push(await download(app.url + downloadPath(name, version), spec))
  }
  const failed = [...straight, ...through].filter(({ status, whole }) => status !== 200 || !whole)
  if (failed.length > 0) throw new Error(`${failed.length} downloads failed`)
  return { straight, through }
}
