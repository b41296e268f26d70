import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { constants, createGzip } from 'node:zlib'
import { temporaryFolder } from '../support/cargo.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'
import { randomBytesFrom, randomFrom } from '../support/random.ts'
import { tarEntry } from '../support/tar-entry.ts'
import { atMost, exactly, type Figure, note } from './figures.ts'
import { PUBLISH_TOKEN, type RegistryProcess, startRegistryProcess } from './registry-process.ts'
import type { Context } from './storm-uplink.ts'

const MiB = 1024 * 1024
/** What a publish may cost beyond what the registry needs anyway. */
const MAX_ADDED = 64 * MiB
const SAMPLE_MS = 20
const WARM_UP = 100
const FILE_BYTES = 10 * MiB

/** The memory of a registry that takes one very large crate. */
export async function largePublishFigures(
  context: Context,
  { bytes }: { readonly bytes: number },
): Promise<readonly Figure[]> {
  const registry = await startRegistryProcess(context, {
    uplinks: {},
    limits: { crate: bytes + 100 * MiB, unpacked: 2 * bytes },
  })
  const body = await largeBody(context, bytes)
  for (let n = 0; n < WARM_UP; n++) await put(registry, publishBody(crateFile('small', `1.0.${n}`)))
  await sleep(500)
  const before = registry.memory()
  let peak = before
  const sampling = setInterval(() => {
    peak = Math.max(peak, registry.memory())
  }, SAMPLE_MS)
  const begun = performance.now()
  const status = await put(registry, body)
  const seconds = (performance.now() - begun) / 1000
  clearInterval(sampling)
  await sleep(500)
  const title = `a publish of ${bytes / MiB} MiB`
  return [
    exactly(`${title}: status`, status, 200),
    note(`${title}: resident, idle and at most`, `${mebibytes(before)}, ${mebibytes(peak)}`),
    atMost(`${title}: memory added`, (peak - before) / MiB, MAX_ADDED / MiB, 'MiB'),
    exactly(`${title}: temporary files left`, registry.holdings().temporary, 0),
    note(`${title}: time`, `${seconds.toFixed(0)} s`),
  ]
}

/** The file with the body of a publish whose crate has about so many bytes, most of them no compression can save. */
async function largeBody(context: Context, bytes: number): Promise<string> {
  const folder = await temporaryFolder(context)
  const [crate, body] = [join(folder, 'crate'), join(folder, 'body')]
  const small = crateFile('large')
  const tar = small.tar()
  const noise = randomBytesFrom(randomFrom(1), FILE_BYTES)
  const entries = function* () {
    yield tar.subarray(0, -1024)
    for (let n = 0; n < bytes / FILE_BYTES; n++) yield tarEntry({ name: `large-1.0.0/noise-${n}` }, noise)
    yield tar.subarray(-1024)
  }
  // Stored as it is: the work would be the client's, and take minutes.
  const gzip = createGzip({ level: constants.Z_NO_COMPRESSION })
  await pipeline(Readable.from(entries(), { objectMode: false }), gzip, createWriteStream(crate))
  const metadata = Buffer.from(JSON.stringify(small.metadata()))
  const lengths = [metadata.length, statSync(crate).size].map((length) => {
    const field = Buffer.alloc(4)
    field.writeUInt32LE(length)
    return field
  })
  const out = createWriteStream(body)
  for (const part of [lengths[0], metadata, lengths[1]]) out.write(part)
  await pipeline(createReadStream(crate), out)
  return body
}

/** Publishes bytes, or those of a file; the status. */
async function put(registry: RegistryProcess, body: Buffer | string): Promise<number> {
  const length = typeof body === 'string' ? statSync(body).size : body.length
  const source =
    typeof body === 'string' ? createReadStream(body) : Readable.from([body], { objectMode: false })
  const headers = { authorization: PUBLISH_TOKEN, 'content-length': length }
  return new Promise((resolve, reject) => {
    const sent = request(`${registry.url}/api/v1/crates/new`, { method: 'PUT', headers, agent: false })
    sent.on('error', reject)
    sent.on('response', (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
    pipeline(source, sent).catch(reject)
  })
}

function mebibytes(bytes: number): string {
  return `${(bytes / MiB).toFixed(0)} MiB`
}
