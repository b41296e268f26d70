import type { SealedCache } from '../sealed-cache.ts'

/** What one replica learned of crates that an uplink does not have, for the others. */
export interface SharedAbsence {
  /** For how many more milliseconds it holds that there is no such file; 0 when nobody said so, or too long ago. */
  remaining(key: string): Promise<number>
  /** There is no such file, for so many milliseconds from now on. */
  note(key: string, ms: number): Promise<void>
}

/** @param maxMs nothing holds longer, whatever a clock or a cache that was put back says */
export function createSharedAbsence(
  cache: SealedCache,
  { now, maxMs }: { readonly now: () => Date; readonly maxMs: number },
): SharedAbsence {
  return {
    async remaining(key) {
      const until = Date.parse((await cache.get(cacheKey(key)))?.toString() ?? '')
      const ms = until - now().getTime()
      return ms > 0 && ms <= maxMs ? ms : 0
    },
    async note(key, ms) {
      const until = new Date(now().getTime() + Math.min(ms, maxMs))
      await cache.set(cacheKey(key), Buffer.from(until.toISOString()), ms)
    },
  }
}

function cacheKey(key: string): string {
  return `absent:${key}`
}
