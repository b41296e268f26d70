import { setTimeout as sleep } from 'node:timers/promises'
import { constants, deflateRawSync, gzipSync } from 'node:zlib'
import { encodePublishBody } from '../../src/protocol/publish-body.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'
import { tarEntry } from '../support/tar-entry.ts'
import { atMost, exactly, type Figure, note } from './figures.ts'
import { PUBLISH_TOKEN, type RegistryProcess, startRegistryProcess } from './registry-process.ts'
import type { Context } from './storm-uplink.ts'

const MiB = 1024 * 1024
/** Of all threads: how long it takes depends on what else the machine does. */
const MAX_WORK_MS = 2_000
const MAX_STALL_MS = 100
const MAX_ADDED_MIB = 32
const WARM_UP = 200
const SAMPLE_MS = 10

/** Crate files that are small to send and large to unpack, against a server of its own. */
export async function bombFigures(
  context: Context,
  { bytes, entries }: { readonly bytes: number; readonly entries: number },
): Promise<readonly Figure[]> {
  const registry = await startRegistryProcess(context, { uplinks: {} })
  for (let n = 0; n < WARM_UP; n++) await put(registry, publishBody(crateFile('small', `1.0.${n}`)))
  const bombs: readonly (readonly [string, Buffer])[] = [
    [`${bytes / MiB} MiB in one file`, zeros(bytes, bytes)],
    [`${bytes / MiB} MiB in files of 1 MiB`, zeros(bytes, MiB)],
    [`${entries.toLocaleString('en')} empty entries`, emptyEntries(entries)],
  ]
  const figures: Figure[] = []
  for (const [what, crate] of bombs) figures.push(...(await defuse(registry, what, crate)))
  return [...figures, exactly('bombs: temporary files left', registry.holdings().temporary, 0)]
}

async function defuse(registry: RegistryProcess, what: string, crate: Buffer): Promise<readonly Figure[]> {
  const body = Buffer.from(encodePublishBody(crateFile('bomb').metadata(), crate))
  await sleep(300)
  const [before, since] = [registry.memory(), Date.now()]
  let peak = before
  const sampling = setInterval(() => {
    peak = Math.max(peak, registry.memory())
  }, SAMPLE_MS)
  const [begun, worked] = [performance.now(), registry.work()]
  const { status, detail } = await put(registry, body)
  const [took, work] = [performance.now() - begun, registry.work() - worked]
  clearInterval(sampling)
  await sleep(50)
  return [
    exactly(`${what}: status`, status, 413),
    note(`${what}: reason`, detail),
    // One that is too large to begin with is no bomb.
    exactly(`${what}: refused for what is in it`, Number(/ unpacks to | entries$/.test(detail)), 1),
    note(`${what}: time`, `${took.toFixed(0)} ms`),
    atMost(`${what}: processor time`, work, MAX_WORK_MS, 'ms'),
    atMost(`${what}: longest stall`, registry.longestTurn(since), MAX_STALL_MS, 'ms'),
    atMost(`${what}: memory added`, (peak - before) / MiB, MAX_ADDED_MIB, 'MiB'),
  ]
}

/** A gzip file of zeros in files of `each` bytes: one compressed MiB, again and again. */
function zeros(bytes: number, each: number): Buffer {
  const full = { finishFlush: constants.Z_FULL_FLUSH }
  const mebibyte = deflateRawSync(Buffer.alloc(MiB), full)
  const files = Array.from({ length: bytes / each }, (_, n) => {
    const header = tarEntry({ name: `bomb-1.0.0/${n}`, size: each })
    return Buffer.concat([deflateRawSync(header, full), ...Array<Buffer>(each / MiB).fill(mebibyte)])
  })
  const gzipHeader = Buffer.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
  return Buffer.concat([gzipHeader, ...files])
}

function emptyEntries(count: number): Buffer {
  const headers = Array.from({ length: count }, (_, n) => tarEntry({ name: `bomb-1.0.0/${n}` }))
  return gzipSync(Buffer.concat(headers), { level: 1 }).subarray(0, 10 * MiB)
}

async function put(registry: RegistryProcess, body: Buffer) {
  const headers = { authorization: PUBLISH_TOKEN }
  const answer = await fetch(`${registry.url}/api/v1/crates/new`, { method: 'PUT', headers, body })
  const { errors } = (await answer.json()) as { errors?: readonly { detail: string }[] }
  return { status: answer.status, detail: errors?.[0]?.detail ?? '' }
}
