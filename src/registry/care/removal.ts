import { fewAtATime } from '../few-at-a-time.ts'
import { blobKey } from '../keys.ts'
import type { RegistryStorage } from '../reliable-storage.ts'
import type { ListedBlob } from './blob-table.ts'
import { visitReferences } from './references.ts'

/** Where blobs are that are about to go. */
const TRASH = 'trash/'
/** What is there so long was left by a collector that was killed; younger ones may be another's. */
const ABANDONED_MS = 60 * 60_000

/**
 * Removes blobs that nobody referenced, and brings back those that somebody references after all; those that are gone.
 * A publish may take a blob for present that goes a moment later: so each is copied aside first, and references are
 * looked for again when it is gone, for by then whoever relied on it has said so in a change.
 */
export async function removeOrphans(
  storage: RegistryStorage,
  orphans: Iterable<ListedBlob>,
): Promise<readonly ListedBlob[]> {
  const aside = new Map<string, ListedBlob>()
  for await (const [blob, isAside] of fewAtATime(orphans, (blob) => putAside(storage, blob)))
    if (isAside) aside.set(blob.sha256, blob)
  const gone = await settle(storage, new Set(aside.keys()))
  return [...aside.values()].filter(({ sha256 }) => gone.has(sha256))
}

/** Finishes what a collector that was killed had begun. */
export async function settleAbandoned(storage: RegistryStorage, now: Date): Promise<void> {
  const found = new Set<string>()
  for await (const { key, modified } of storage.list(TRASH))
    if (now.getTime() - modified.getTime() > ABANDONED_MS) found.add(key.slice(TRASH.length))
  await settle(storage, found)
}

/** Takes a blob away, unless it was written again since it was listed; a copy of it stays aside. */
async function putAside(storage: RegistryStorage, { sha256, modified }: ListedBlob): Promise<boolean> {
  const found = await storage.get(blobKey(sha256))
  if (found === undefined) return false
  if (found.modified.getTime() !== modified) {
    found.body.destroy()
    return false
  }
  await storage.put(TRASH + sha256, found.body)
  await storage.delete(blobKey(sha256))
  return true
}

/** Ends the matter of what is aside, one way or the other; what is gone for good. */
async function settle(storage: RegistryStorage, aside: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  if (aside.size === 0) return aside
  const needed = new Set<string>()
  const note = (sha256: string) => {
    if (aside.has(sha256)) needed.add(sha256)
  }
  await visitReferences(storage, { hosted: note, proxied: note })
  for await (const _ of fewAtATime(needed, (sha256) => bringBack(storage, sha256)));
  for await (const _ of fewAtATime(aside, (sha256) => storage.delete(TRASH + sha256)));
  return new Set([...aside].filter((sha256) => !needed.has(sha256)))
}

async function bringBack(storage: RegistryStorage, sha256: string): Promise<void> {
  const copy = await storage.get(TRASH + sha256)
  if (copy !== undefined) await storage.put(blobKey(sha256), copy.body, { ifAbsent: true })
}
