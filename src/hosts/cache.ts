import { Keyv } from 'keyv'
import { LRUCache } from 'lru-cache'
import type { MetadataCache } from '../host.ts'

const MiB = 1024 * 1024

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
  const keyv = new Keyv({ store })
  return {
    get: (key) => keyv.get(key),
    set: (key, value, ttlMs) => keyv.set(key, value, ttlMs),
    delete: (key) => keyv.delete(key),
  }
}
