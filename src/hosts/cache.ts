import { randomBytes } from 'node:crypto'
import KeyvRedis, { createClient, type RedisClientType } from '@keyv/redis'
import { Keyv } from 'keyv'
import { LRUCache } from 'lru-cache'
import { CargoError } from '../errors.ts'
import type { MetadataCache } from '../host.ts'

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
 * A cache in Redis, at a `redis:` or `rediss:` URL. It connects at once and again whenever the connection is lost;
 * until then its calls fail, which the plugin takes for misses. It must be closed.
 * @throws {Error} for another URL; does not repeat it, since it may hold a password.
 */
export function redisCache(url: string): ClosableCache {
  if (!URL.canParse(url) || !/^rediss?:\/\//i.test(url)) {
    throw new Error('invalid redis url: must be like `redis://[[user]:password@]host[:port][/database]`')
  }
  const client: RedisClientType = createClient({
    url,
    // Calls fail while Redis is away, instead of waiting in memory.
    disableOfflineQueue: true,
    // Pings keep an idle connection from `socketTimeout`, which ends one where nothing moves any more: then what waits
    // for an answer fails, and gives its place among the calls in flight back.
    pingInterval: 5_000,
    socket: {
      connectTimeout: 2_000,
      socketTimeout: 10_000,
      reconnectStrategy: (retries) => Math.min(50 * 2 ** Math.min(retries, 6), 2_000),
    },
  })
  // An `error` event without a listener ends the process; every failing call reports its own error.
  client.on('error', () => undefined)
  const store = new KeyvRedis<string>(client, { throwOnErrors: true })
  const keyv = new Keyv({ store, namespace: NAMESPACE, useKeyPrefix: false, throwOnErrors: true })
  keyv.on('error', () => undefined)
  const tried = firstTry(client)

  /** Keyv would connect by itself, also after `close()`. */
  async function ready(): Promise<void> {
    await tried
    if (!client.isReady) throw new CargoError('unavailable', 'redis is not connected')
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
      const expiration = { type: 'PX', value: Math.max(1, Math.ceil(ttlMs)) } as const
      const answer = await client.set(name, holder, { condition: 'NX', expiration })
      if (answer === null) return undefined
      return async () => void (await client.eval(RELEASE, { keys: [name], arguments: [holder] }))
    },
    async close() {
      if (client.isOpen) client.destroy()
    },
  }
}

/** Connects for as long as it takes; the promise ends with the first success or failure. */
function firstTry(client: RedisClientType): Promise<void> {
  return new Promise((resolve) => {
    client.once('ready', resolve)
    client.once('error', () => resolve())
    client.connect().then(
      () => resolve(),
      () => resolve(),
    )
  })
}

/** What someone else wrote there says nothing about Redis' health. */
function missIfGarbage(error: unknown): undefined {
  if (!(error instanceof SyntaxError)) throw error
}
