import { createHmac, timingSafeEqual } from 'node:crypto'
import type { MetadataCache, ObjectStore } from '../host.ts'
import { CACHE_SECRET_KEY } from './keys.ts'
import { loadSecret } from './store-secret.ts'

/** Entries nobody asks for go away by themselves. */
const TTL_MS = 24 * 60 * 60 * 1000
const SEAL_LENGTH = 64

/**
 * Copies in the host's cache that only a process on the same store can have written.
 *
 * A shared Redis may hold anything: garbage, another service's values, values of another registry. Each copy is
 * sealed with a secret of the store, over its key and its bytes, so that whatever else is found there is a miss.
 * Whether a genuine copy is still current is for the caller to find out.
 */
export interface SealedCache {
  /** The copy, or `undefined` when there is none that can be trusted; never throws. */
  get(key: string): Promise<Buffer | undefined>
  /** Leaves a copy for `ttlMs`, by default a day, if the cache will take it; never throws. */
  set(key: string, bytes: Buffer, ttlMs?: number): Promise<void>
}

/** Seals what goes through `cache` with a secret that is created in `storage` on first use. */
export function createSealedCache(
  cache: MetadataCache,
  storage: ObjectStore,
  onResult: (result: 'hit' | 'miss' | 'rejected') => void = () => {},
): SealedCache {
  let secret: Promise<Buffer> | undefined
  const seal = async (key: string, bytes: Buffer) => {
    secret ??= loadSecret(storage, CACHE_SECRET_KEY).catch((error) => {
      secret = undefined
      throw error
    })
    return createHmac('sha256', await secret)
      .update(`${key}\n`)
      .update(bytes)
      .digest('hex')
  }
  return {
    async get(key) {
      try {
        const value = await cache.get(key)
        const opened = typeof value === 'string' ? await open(key, value, seal) : undefined
        onResult(opened ? 'hit' : value === undefined || value === null ? 'miss' : 'rejected')
        return opened
      } catch {
        // The cache is a convenience: without it, or without the store's secret, the answer comes from the store.
        onResult('miss')
        return undefined
      }
    },
    async set(key, bytes, ttlMs = TTL_MS) {
      try {
        await cache.set(key, (await seal(key, bytes)) + bytes.toString('utf8'), ttlMs)
      } catch {
        // As above: a copy that was not kept costs a read of the store, nothing else.
      }
    },
  }
}

async function open(
  key: string,
  value: string,
  seal: (key: string, bytes: Buffer) => Promise<string>,
): Promise<Buffer | undefined> {
  const found = Buffer.from(value.slice(0, SEAL_LENGTH))
  const bytes = Buffer.from(value.slice(SEAL_LENGTH))
  const wanted = Buffer.from(await seal(key, bytes))
  return found.length === wanted.length && timingSafeEqual(found, wanted) ? bytes : undefined
}
