import type { Readable } from 'node:stream'
import { CargoError } from '../errors.ts'
import { gunzip } from './gunzip.ts'
import { MAX_MANIFEST_BYTES } from './manifest.ts'
import { type TarEntry, tarReader } from './tar-reader.ts'
import { pathRules } from './tarball-path.ts'
import { isTargetSource } from './targets.ts'

/** Far above usual crates; empty entries cost the sender next to nothing, but each takes time and memory to judge. */
export const MAX_TARBALL_ENTRIES = 32_768

const MANIFEST = 'Cargo.toml'
/** Paths that are remembered, of up to `MAX_PATH_BYTES` each. */
const MAX_SOURCES = 256

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
  /** The paths of files that cargo may find a target in. */
  readonly sources: readonly string[]
}

/**
 * Reads a `.crate` file to its end and tells whether cargo can unpack it without surprises (protocol.md 7). Needs a bounded
 * amount of memory, never blocks for long, and destroys a stream as soon as a rule is broken.
 * @throws {CargoError} `invalid_tarball`, or `too_large` when it unpacks to too much; errors of `source` as they are
 */
export async function inspectTarball(source: Buffer | Readable, rules: TarballRules): Promise<Tarball> {
  const root = `${rules.name}-${rules.version}`
  const paths = pathRules(root)
  let entries = 0
  let unpackedSize = 0
  let manifest: Buffer | undefined
  const sources: string[] = []

  const reader = tarReader(
    { maxUnpacked: rules.maxUnpacked, maxEntries: rules.maxEntries ?? MAX_TARBALL_ENTRIES },
    (entry) => {
      const path = paths.accept(entry.path, entry.isDirectory)
      entries += 1
      unpackedSize += entry.size
      if (!entry.isDirectory && isTargetSource(path) && sources.length < MAX_SOURCES) sources.push(path)
      if (entry.isDirectory || path.toLowerCase() !== MANIFEST.toLowerCase()) return undefined
      checkManifest(entry, path)
      return { maxBytes: entry.size, take: (content) => (manifest = content) }
    },
  )
  await gunzip(source, reader)
  if (manifest === undefined) {
    throw new CargoError('invalid_tarball', `tarball has no \`${root}/${MANIFEST}\``)
  }
  return { manifest, unpackedSize, entries, sources }
}

function checkManifest(entry: TarEntry, path: string): void {
  if (path !== MANIFEST) {
    const detail = `misspelled \`${entry.path}\` in tarball: must be \`${MANIFEST}\``
    throw new CargoError('invalid_tarball', detail)
  }
  if (entry.size > MAX_MANIFEST_BYTES)
    throw new CargoError('too_large', `\`${MANIFEST}\` is over ${MAX_MANIFEST_BYTES} bytes`)
}
