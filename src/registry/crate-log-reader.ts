import type { ObjectStore } from '../host.ts'
import { type Change, parseChange } from '../protocol/change.ts'
import { canonicalName } from '../protocol/name.ts'
import { type CrateRecord, foldChange, parseRecord } from '../protocol/record.ts'
import { changeKey, checkpointKey } from './keys.ts'
import { readBytes } from './reliable-storage.ts'
import type { SealedCache } from './sealed-cache.ts'

/** Where a log is read from. */
export interface LogSources {
  readonly storage: Pick<ObjectStore, 'get' | 'stat'>
  readonly cache: SealedCache
}

/** The fold of a log of which nothing is known yet: a copy of it, if one can be trusted, and the changes after it. */
export async function coldRead(
  { storage, cache }: LogSources,
  key: string,
): Promise<CrateRecord | undefined> {
  // Change 1 tells cheaply that a name is not local, which most names that are asked for are not.
  if ((await storage.stat(changeKey(key, 1))) === undefined) return undefined
  const copy = (await cachedCopy(storage, cache, key)) ?? (await checkpointCopy(storage, key))
  return catchUp(storage, copy, key)
}

async function cachedCopy(
  storage: LogSources['storage'],
  cache: SealedCache,
  key: string,
): Promise<CrateRecord | undefined> {
  return ofThisLog(storage, key, await cache.get(cacheKey(key)))
}

async function checkpointCopy(storage: LogSources['storage'], key: string): Promise<CrateRecord | undefined> {
  return ofThisLog(storage, key, await readObject(storage, checkpointKey(key)))
}

/** A store that was restored from a backup may know less than the cache does, or than a checkpoint copied later. */
async function ofThisLog(storage: LogSources['storage'], key: string, bytes: Buffer | undefined) {
  const copy = bytes && parseRecord(bytes, key)
  return copy && (await readChange(storage, key, copy.n))?.id === copy.lastId ? copy : undefined
}

/** A record with the changes that were added since. */
export async function catchUp(
  storage: LogSources['storage'],
  copy: CrateRecord | undefined,
  key = canonicalName(copy?.name ?? ''),
): Promise<CrateRecord | undefined> {
  let record = copy
  if (record !== undefined && (await storage.stat(changeKey(key, record.n + 1))) === undefined) return record
  for (;;) {
    const n = (record?.n ?? 0) + 1
    const change = await readChange(storage, key, n)
    if (change === undefined) return record
    record = foldChange(record, n, change)
  }
}

export async function readChange(
  storage: LogSources['storage'],
  key: string,
  n: number,
): Promise<Change | undefined> {
  const bytes = await readObject(storage, changeKey(key, n))
  return bytes && parseChange(bytes)
}

async function readObject(storage: LogSources['storage'], key: string): Promise<Buffer | undefined> {
  const object = await storage.get(key)
  return object && readBytes(object)
}

/** Where the shared cache has a copy of the record. */
export function cacheKey(key: string): string {
  return `record:${key}`
}
