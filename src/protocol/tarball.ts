import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type ExtractEvents, extract } from 'tar-stream'
import { CargoError } from '../errors.ts'
import { gunzipStages } from './gunzip.ts'
import { MAX_MANIFEST_BYTES } from './manifest.ts'
import { tarGuard } from './tar-guard.ts'
import { malformedTarball } from './tar-header.ts'
import { pathRules } from './tarball-path.ts'

/** Far above usual crates; empty entries cost the sender next to nothing, but each takes time and memory to judge. */
export const MAX_TARBALL_ENTRIES = 32_768

const MANIFEST = 'Cargo.toml'

type Header = ExtractEvents['entry'][0]
type Body = ExtractEvents['entry'][1]

export interface TarballRules {
  readonly name: string
  readonly version: string
  /** Bytes of the uncompressed archive, headers and padding included. */
  readonly maxUnpacked: number
  /** Files and directories; default `MAX_TARBALL_ENTRIES`. */
  readonly maxEntries?: number
}

export interface Tarball {
  /** The content of `Cargo.toml`. */
  readonly manifest: Uint8Array
  /** The sum of the files' sizes in bytes. */
  readonly unpackedSize: number
  /** How many files and directories there are. */
  readonly entries: number
}

/**
 * Reads a `.crate` file to its end and tells whether cargo can unpack it without surprises (protocol.md 7). Needs a bounded
 * amount of memory, never blocks for long, and destroys `source` as soon as a rule is broken.
 * @throws {CargoError} `invalid_tarball`, or `too_large` when it unpacks to too much; errors of `source` as they are
 */
export async function inspectTarball(source: Readable, rules: TarballRules): Promise<Tarball> {
  const root = `${rules.name}-${rules.version}`
  const paths = pathRules(root)
  const files = extract()
  let entries = 0
  let unpackedSize = 0
  let manifest: Buffer | undefined

  files.on('entry', (header, body, next) => {
    // a broken rule destroys the body as well; unheard, its error would end the process
    body.on('error', () => undefined)
    visit(header, body).then(() => next(), next)
  })
  async function visit({ name, type, size }: Header, body: Body): Promise<void> {
    const path = paths.accept(name, type === 'directory')
    entries += 1
    unpackedSize += size
    const isManifest = type === 'file' && path.toLowerCase() === MANIFEST.toLowerCase()
    if (isManifest) manifest = await readManifest(name, path, size, body)
    else await drain(body)
  }

  const guard = tarGuard({
    maxUnpacked: rules.maxUnpacked,
    maxEntries: rules.maxEntries ?? MAX_TARBALL_ENTRIES,
  })
  try {
    await pipeline([source, ...gunzipStages(), guard, files])
  } catch (error) {
    throw isZlibError(error) ? malformedTarball('bad gzip data', error) : error
  }
  if (manifest === undefined) {
    throw new CargoError('invalid_tarball', `tarball has no \`${root}/${MANIFEST}\``)
  }
  return { manifest, unpackedSize, entries }
}

async function readManifest(name: string, path: string, size: number, body: Body): Promise<Buffer> {
  if (path !== MANIFEST) {
    throw new CargoError('invalid_tarball', `misspelled \`${name}\` in tarball: must be \`${MANIFEST}\``)
  }
  if (size > MAX_MANIFEST_BYTES)
    throw new CargoError('too_large', `\`${MANIFEST}\` is over ${MAX_MANIFEST_BYTES} bytes`)
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

async function drain(body: Body): Promise<void> {
  for await (const _ of body);
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')
}
