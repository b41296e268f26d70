import { randomBytes } from 'node:crypto'
import KeyvRedis from '@keyv/redis'
import { Keyv } from 'keyv'
import { LRUCache } from 'lru-cache'
import { CargoError } from '../errors.ts'
import type { MetadataCache } from '../host.ts'
import { connectRedis, type RedisAddress } from './redis-client.ts'

/** Namespace of all keys, so that a shared Redis keeps them apart. */
const NAMESPACE = 'verdaccio-cargo'

const MiB = 1024 * 1024

/** Releases a lock only for its holder: after it ran out it may be someone else's. */
const RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"

/** A cache that holds something open. */
export interface ClosableCache extends MetadataCache {
  close(): Promise<void>
}

/** An in-process cache that holds at most `maxBytes` of keys and values, default 32 MiB. */
export function memoryCache(options: { readonly maxBytes?: number } = {}): MetadataCache {
  const entries = new LRUCache<string, string>({
    maxSize: options.maxBytes ?? 32 * MiB,
    // Two bytes for each UTF-16 unit, at worst.
    sizeCalculation: (value, key) => 2 * (value.length + key.length),
  })
  const store = {
    opts: {},
    get: async (key: string) => entries.get(key),
    set: async (key: string, value: string) => void entries.set(key, value),
    delete: async (key: string) => entries.delete(key),
    clear: async () => entries.clear(),
  }
  const keyv = new Keyv({ store, namespace: NAMESPACE })
  return {
    get: (key) => keyv.get(key),
    set: (key, value, ttlMs) => keyv.set(key, value, ttlMs),
    delete: (key) => keyv.delete(key),
  }
}

/**
 * A cache in Redis, at a `redis:` or `rediss:` URL, or in a cluster that has nodes at several. It connects at once and
 * again whenever the connection is lost; until then its calls fail, which the plugin takes for misses. It must be closed.
 * @throws {Error} for another URL; does not repeat it, since it may hold a password.
 */
export function redisCache(address: RedisAddress): ClosableCache {
  const redis = connectRedis(address)
  const store = new KeyvRedis<string>(redis.client, { throwOnErrors: true })
  const keyv = new Keyv({ store, namespace: NAMESPACE, useKeyPrefix: false, throwOnErrors: true })
  keyv.on('error', () => undefined)

  /** Keyv would connect by itself, also after `close()`. */
  async function ready(): Promise<void> {
    await redis.tried
    if (!redis.isReady()) throw new CargoError('unavailable', 'redis is not connected')
  }

  return {
    async get(key) {
      await ready()
      return keyv.get(key).catch(missIfGarbage)
    },
    async set(key, value, ttlMs) {
      await ready()
      return keyv.set(key, value, ttlMs && Math.ceil(ttlMs))
    },
    async delete(key) {
      await ready()
      return keyv.delete(key)
    },
    async lock(key, ttlMs) {
      await ready()
      const name = `${NAMESPACE}:lock:${key}`
      const holder = randomBytes(16).toString('base64url')
      if (!(await redis.setIfAbsent(name, holder, Math.max(1, Math.ceil(ttlMs))))) return undefined
      return () => redis.run(RELEASE, name, holder)
    },
    close: async () => redis.close(),
  }
}

/** What someone else wrote there says nothing about Redis' health. */
function missIfGarbage(error: unknown): undefined {
  if (!(error instanceof SyntaxError)) throw error
}
