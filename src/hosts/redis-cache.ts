import { randomBytes } from 'node:crypto'
import KeyvRedis from '@keyv/redis'
import { Keyv } from 'keyv'
import { CargoError } from '../errors.ts'
import type { MetadataCache } from '../host.ts'
import { connectRedis, type RedisAddress } from './redis-client.ts'

/** Before all keys, so that others who use the same Redis have theirs. */
const NAMESPACE = 'verdaccio-cargo'

/** Releases a lock only for its holder: after it ran out it may be someone else's. */
const RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"

/** A cache that holds something open. */
export interface ClosableCache extends MetadataCache {
  close(): Promise<void>
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
