import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type ExtractEvents, extract } from 'tar-stream'
import { gunzipStages } from './gunzip.ts'
import { tarGuard } from './tar-guard.ts'

type Header = ExtractEvents['entry'][0]
type Body = ExtractEvents['entry'][1]

/** Files that are looked for in a `.crate` file. */
export interface FileSearch {
  readonly name: string
  readonly version: string
  /** Below the crate's directory. */
  readonly paths: readonly string[]
  /** Bytes; of a longer file the beginning is taken. */
  readonly maxFile: number
  /** Bytes of the uncompressed archive; what comes later is not found. */
  readonly maxUnpacked: number
  readonly maxEntries: number
}

/**
 * The beginnings of those of the files that are there. Reads no farther than it must, in a bounded amount of memory,
 * and destroys `source` in the end.
 * @throws {CargoError} `invalid_tarball`, or `too_large` before all are found; errors of `source` and zlib as they are
 */
export async function findFiles(source: Readable, search: FileSearch): Promise<ReadonlyMap<string, Buffer>> {
  const root = `${search.name}-${search.version}/`
  const wanted = new Set(search.paths)
  const found = new Map<string, Buffer>()
  const enough = new AbortController()
  const files = extract()

  files.on('entry', (header, body, next) => {
    // A broken rule destroys the body as well; unheard, its error would end the process.
    body.on('error', () => undefined)
    visit(header, body).then(() => (found.size === wanted.size ? enough.abort() : next()), next)
  })
  async function visit({ name, type }: Header, body: Body): Promise<void> {
    const path = name.startsWith(root) ? name.slice(root.length) : undefined
    const isWanted = type === 'file' && path !== undefined && wanted.has(path)
    const beginning = await readBeginning(body, isWanted ? search.maxFile : 0)
    if (isWanted) found.set(path, beginning)
  }

  try {
    const guard = tarGuard({ maxUnpacked: search.maxUnpacked, maxEntries: search.maxEntries })
    await pipeline([source, ...gunzipStages(), guard, files], { signal: enough.signal })
  } catch (error) {
    if (!enough.signal.aborted) throw error
  }
  return found
}

/** The first bytes; the rest is read and forgotten. */
async function readBeginning(body: Body, max: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (size < max) chunks.push(chunk.subarray(0, max - size))
    size += chunk.length
  }
  return Buffer.concat(chunks)
}
