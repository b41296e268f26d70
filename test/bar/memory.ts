import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { indexPath } from '../../src/protocol/name.ts'
import { downloadPath } from '../http/proxied.ts'
import { atMost, exactly, type Figure, note } from './figures.ts'
import type { MemoryUplink } from './memory-uplink.ts'
import { type RegistryProcess, startRegistryProcess } from './registry-process.ts'
import type { Context } from './storm-uplink.ts'

const MiB = 1024 * 1024
const UPLINK = join(import.meta.dirname, 'memory-uplink.ts')
/** What streams may cost beyond what the registry needs anyway. */
const MAX_COLD = 150 * MiB
const MAX_WARM = 64 * MiB
/** Bytes per second of a slow reader. */
const SLOW = 1_000_000
const SAMPLE_MS = 50
const WARM_UP = 3_000

export interface MemorySpec {
  readonly streams: number
  /** Of each file; whole MiB. */
  readonly bytes: number
  /** How many of the streams are read slowly, until all others are done. */
  readonly slow: number
  /** Slow ones read slowly for at least so many milliseconds. */
  readonly slowMs: number
}

/** The memory of a registry through which large crates stream at once, from the uplink and from storage. */
export async function memoryFigures(context: Context, spec: MemorySpec): Promise<readonly Figure[]> {
  const uplink = await startMemoryUplink(context, spec)
  const options = { uplinks: { up: { url: uplink.index } }, prefetch: 0 }
  const first = await startRegistryProcess(context, options)
  const cold = await streamAll(first, uplink, spec)
  // What is stored behind the answers is no part of the warm run.
  while (first.holdings().temporary > 0) await sleep(100)
  await first.stop()
  const second = await startRegistryProcess(context, options, { before: first })
  const warm = await streamAll(second, uplink, spec)
  await second.stop()
  const title = `${spec.streams} × ${spec.bytes / MiB} MiB, ${spec.slow} of them slow`
  return [
    note(
      `${title}: resident, just started and in use`,
      `${mebibytes(cold.fresh)}, ${mebibytes(cold.before)}`,
    ),
    note(`${title}: resident at most, cold and warm`, `${mebibytes(cold.peak)}, ${mebibytes(warm.peak)}`),
    exactly(`${title}: right bodies, cold and warm`, cold.right + warm.right, 2 * spec.streams),
    atMost(`${title}: memory added, cold`, (cold.peak - cold.before) / MiB, MAX_COLD / MiB, 'MiB'),
    atMost(`${title}: memory added, warm`, (warm.peak - warm.before) / MiB, MAX_WARM / MiB, 'MiB'),
    note(`${title}: time, cold and warm`, `${cold.seconds.toFixed(0)} s, ${warm.seconds.toFixed(0)} s`),
  ]
}

async function streamAll(registry: RegistryProcess, { crates }: MemoryUplink, spec: MemorySpec) {
  const fresh = registry.memory()
  await warmUp(registry, crates)
  const before = registry.memory()
  const begun = performance.now()
  let peak = 0
  const sampling = setInterval(() => {
    peak = Math.max(peak, registry.memory())
  }, SAMPLE_MS)
  const hurry = Promise.withResolvers<void>()
  let isSlow = true
  const reading = crates.map(({ name, version, cksum }, n) =>
    digestOf(registry.url + downloadPath(name, version), n < spec.slow ? () => isSlow : () => false).then(
      (sum) => sum === cksum,
    ),
  )
  Promise.all([...reading.slice(spec.slow), sleep(spec.slowMs)]).then(() => hurry.resolve())
  await hurry.promise
  isSlow = false
  const right = (await Promise.all(reading)).filter(Boolean).length
  clearInterval(sampling)
  return { right, fresh, before, peak, seconds: (performance.now() - begun) / 1000 }
}

/** Ordinary requests: what a registry needs in use is not what streams cost. */
async function warmUp(registry: RegistryProcess, crates: MemoryUplink['crates']): Promise<void> {
  for (let n = 0; n < WARM_UP; n += crates.length) {
    await Promise.all(
      crates.map(async ({ name }) => (await fetch(`${registry.url}/${indexPath(name)}`)).arrayBuffer()),
    )
  }
  await sleep(500)
}

function mebibytes(bytes: number): string {
  return `${(bytes / MiB).toFixed(0)} MiB`
}

/** The checksum of what comes, read slowly as long as `isSlow`; empty when it does not come whole. */
async function digestOf(url: string, isSlow: () => boolean): Promise<string> {
  const sum = createHash('sha256')
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { agent: false }, resolve).on('error', reject)
    })
    for await (const chunk of response as AsyncIterable<Buffer>) {
      sum.update(chunk)
      if (isSlow()) await sleep((1000 * chunk.length) / SLOW)
    }
    return response.complete ? sum.digest('hex') : ''
  } catch {
    return ''
  }
}

async function startMemoryUplink(context: Context, { streams, bytes }: MemorySpec): Promise<MemoryUplink> {
  const child = spawn(process.execPath, [UPLINK, String(streams), String(bytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  context.after(async () => void child.kill('SIGKILL'))
  let printed = ''
  for await (const chunk of child.stdout) {
    printed += chunk
    if (printed.endsWith('\n')) break
  }
  return JSON.parse(printed)
}
