import { LRUCache } from 'lru-cache'
import type { Logger } from '../../host.ts'
import type { KnownDetails } from '../../protocol/crate-view.ts'
import type { IndexEntry } from '../../protocol/index-entry.ts'
import { manifestDetails } from '../../protocol/lenient-manifest.ts'
import { MAX_MANIFEST_BYTES } from '../../protocol/manifest.ts'
import { MAX_TARBALL_ENTRIES } from '../../protocol/tarball.ts'
import { findFiles } from '../../protocol/tarball-files.ts'
import type { Blobs } from '../blobs.ts'

const MANIFEST = 'Cargo.toml'
const MAX_KEPT = 2_000
/** Bytes; cargo packs the manifest before anything large. */
const MAX_UNPACKED = 32 * 1024 * 1024

/**
 * What a version says of itself in its `.crate` file, when that is kept; `undefined` when it is not, or cannot be read
 * now. Never a failure.
 */
export type KeptDetails = (entry: IndexEntry) => Promise<KnownDetails | undefined>

/** The details of versions whose files are in `blobs`; those of the last ones are remembered. */
export function createKeptDetails({
  blobs,
  logger,
}: {
  readonly blobs: Blobs
  readonly logger: Logger
}): KeptDetails {
  const known = new LRUCache<string, KnownDetails>({ max: MAX_KEPT })

  async function read({ name, vers, cksum }: IndexEntry): Promise<KnownDetails | undefined> {
    // To ask for the content would make a damaged one known to be so again and again.
    if ((await blobs.stat(cksum)) === undefined || blobs.isDamaged(cksum)) return undefined
    const blob = await blobs.get(cksum)
    if (blob === undefined) return undefined
    const search = { name, version: vers, paths: [MANIFEST], maxFile: MAX_MANIFEST_BYTES }
    const limits = { maxUnpacked: MAX_UNPACKED, maxEntries: MAX_TARBALL_ENTRIES }
    const manifest = (await findFiles(blob.body, { ...search, ...limits })).get(MANIFEST)
    return manifest === undefined ? { size: blob.size } : manifestDetails(manifest, blob.size)
  }

  return async (entry) => {
    const key = `${entry.name} ${entry.vers} ${entry.cksum}`
    const before = known.get(key)
    if (before !== undefined) return before
    try {
      const details = await read(entry)
      if (details !== undefined) known.set(key, details)
      return details
    } catch (error) {
      logger.warn({ crate: entry.name, version: entry.vers, err: error }, 'a kept crate file cannot be read')
      return undefined
    }
  }
}
