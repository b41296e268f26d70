import type { ObjectStore } from '../../host.ts'
import type { CrateDownloads } from '../download-counts.ts'
import { fewAtATime } from '../few-at-a-time.ts'
import { blobKey } from '../keys.ts'
import { type RegistryStorage, reliableStorage } from '../reliable-storage.ts'
import { type BlobTable, createBlobTable, type KnownBlob, type ListedBlob } from './blob-table.ts'
import { removeLeftovers } from './leftovers.ts'
import { visitReferences } from './references.ts'
import { removeOrphans, settleAbandoned } from './removal.ts'
import { expired, type Retention } from './retention.ts'

const BLOB_KEY = /^blobs\/sha256\/[0-9a-f]{2}\/([0-9a-f]{64})$/

export interface GcDeps {
  readonly storage: ObjectStore
  /** How often, and when last, a crate was downloaded. */
  readonly downloads: { of(name: string): Promise<CrateDownloads> }
  readonly retention: Retention
  /** What is younger is left alone, in milliseconds: a publish or a fetch may be under way. */
  readonly grace: number
  /** Only tells what would go. */
  readonly dryRun: boolean
  readonly now: () => Date
  /** Aborted: it ends before anything is removed, or when what it began to remove is. */
  readonly signal?: AbortSignal
}

/** What a collection removed, or would remove. */
export interface GcReport {
  /** Blobs that nobody referenced. */
  readonly orphans: Removed
  /** Files of uplinks that are not kept any longer; asked for again, they are fetched again. */
  readonly expired: Removed
  /** Temporary files, parts of catalogues that newer ones replaced, and the like. */
  readonly leftovers: number
  /** Blobs that stay. */
  readonly kept: Removed
}

export interface Removed {
  readonly count: number
  readonly bytes: number
}

/**
 * Removes what nobody needs from the store, while servers go on working with it: nothing that a version refers to is
 * ever lost, whatever is published meanwhile.
 * @throws {CargoError} `internal` when something cannot be read, before anything is removed; `unavailable`
 */
export async function collectGarbage(deps: GcDeps): Promise<GcReport> {
  const { retention, dryRun } = deps
  const storage = reliableStorage(deps.storage)
  const now = deps.now()
  const since = now.getTime() - deps.grace
  if (!dryRun) await settleAbandoned(storage, now)
  const table = await listBlobs(storage)
  await markNeeded(storage, table, deps)
  deps.signal?.throwIfAborted()
  const orphans = [...table.blobs()].filter(({ use, modified }) => use === 'nobody' && modified <= since)
  const old = expired(table.blobs(), retention, { now: now.getTime(), since })
  const gone = dryRun ? orphans : await removeOrphans(storage, orphans)
  // Whoever needs one of these again has it from its uplink again.
  if (!dryRun) await removeAll(storage, old)
  const leftovers = await removeLeftovers(deps.storage, { since: new Date(since), now, dryRun })
  const all = sumOf(table.blobs())
  const [removed, faded] = [sumOf(gone), sumOf(old)]
  return {
    orphans: removed,
    expired: faded,
    leftovers,
    kept: {
      count: all.count - removed.count - faded.count,
      bytes: all.bytes - removed.bytes - faded.bytes,
    },
  }
}

/** Listed before references are looked for: what is stored later is not in it, and not touched. */
async function listBlobs(storage: RegistryStorage): Promise<BlobTable> {
  const table = createBlobTable()
  for await (const { key, size, modified } of storage.list('blobs/')) {
    const sha256 = BLOB_KEY.exec(key)?.[1]
    if (sha256 !== undefined && blobKey(sha256) === key)
      table.add({ sha256, size, modified: modified.getTime() })
  }
  return table
}

async function markNeeded(
  storage: RegistryStorage,
  table: BlobTable,
  { retention, downloads, signal }: Pick<GcDeps, 'retention' | 'downloads' | 'signal'>,
): Promise<void> {
  /** Crates of uplinks of which files are here, with the checksum of each version. */
  const present = new Map<string, Map<string, string>>()
  const needsUse = retention.max_age !== undefined || retention.max_size !== undefined
  await visitReferences(storage, {
    hosted(sha256) {
      signal?.throwIfAborted()
      table.need(sha256, 'crates')
    },
    proxied(sha256, name, version) {
      signal?.throwIfAborted()
      if (!table.need(sha256, 'uplinks') || !needsUse) return
      const versions = present.get(name) ?? new Map<string, string>()
      present.set(name, versions.set(version, sha256))
    },
  })
  for (const [name, versions] of present) {
    const { days } = await downloads.of(name)
    for (const { day, versions: counted } of days)
      for (const version of counted.keys()) table.touch(versions.get(version) ?? '', endOf(day))
  }
}

async function removeAll(storage: RegistryStorage, blobs: Iterable<ListedBlob>): Promise<void> {
  for await (const _ of fewAtATime(blobs, ({ sha256 }) => storage.delete(blobKey(sha256))));
}

/** Counts tell the day of a download only. */
function endOf(day: string): number {
  return Date.parse(`${day}T23:59:59Z`)
}

function sumOf(blobs: Iterable<Pick<KnownBlob, 'size'>>): Removed {
  let [count, bytes] = [0, 0]
  for (const { size } of blobs) {
    count += 1
    bytes += size
  }
  return { count, bytes }
}
