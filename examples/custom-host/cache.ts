import type { MetadataCache } from 'verdaccio-cargo'

/** Entries; a cache without a bound is a leak. */
const MAX_ENTRIES = 10_000

interface Entry {
  readonly value: unknown
  /** Milliseconds since the process started. */
  readonly expires: number
}

/** A cache of this process. It may forget anything at any time: nothing is decided by what it says. */
export function mapCache(): MetadataCache {
  const entries = new Map<string, Entry>()
  const locks = new Map<string, number>()
  const now = () => performance.now()

  return {
    async get(key) {
      const entry = entries.get(key)
      if (entry === undefined || entry.expires > now()) return entry?.value
      entries.delete(key)
      return undefined
    },

    async set(key, value, ttlMs = Number.POSITIVE_INFINITY) {
      entries.delete(key)
      entries.set(key, { value, expires: now() + ttlMs })
      // A map keeps the order in which it was filled.
      const [oldest] = entries.keys()
      if (entries.size > MAX_ENTRIES && oldest !== undefined) entries.delete(oldest)
    },

    async delete(key) {
      return entries.delete(key)
    },

    /** Saves work that two would do at once. It ends by itself, so that nobody waits for who died. */
    async lock(key, ttlMs) {
      const held = locks.get(key)
      if (held !== undefined && held > now()) return undefined
      const mine = now() + ttlMs
      locks.set(key, mine)
      return async () => {
        // It may have ended, and be another's by now.
        if (locks.get(key) === mine) locks.delete(key)
      }
    },
  }
}
