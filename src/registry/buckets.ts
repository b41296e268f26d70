import { LRUCache } from 'lru-cache'
import type { RateLimit } from '../options.ts'
import { type Admission, admit, type Pace } from '../protocol/pace.ts'

/** Those who came last are remembered; at some 200 bytes each. */
const MAX_BUCKETS = 50_000

/** How often whoever is behind a key came lately, in memory. */
export interface Buckets {
  /** Milliseconds until one more may come; 0: now. */
  wait(key: string): number
  /** Counts one more, if it may come; the same answer as `wait()`. */
  take(key: string): number
}

/** Buckets that all have the pace of `limit`, or `times` as much; without a limit nobody waits. */
export function createBuckets(limit: RateLimit, monotonic: () => number, times = 1): Buckets {
  if (limit === false) return { wait: () => 0, take: () => 0 }
  const pace: Pace = { count: limit.count * times, perMs: limit.perMs, burst: limit.burst * times }
  const due = new LRUCache<string, number>({ max: MAX_BUCKETS })
  const judge = (key: string): Admission => admit(pace, due.get(key), monotonic())
  return {
    wait(key) {
      const admission = judge(key)
      return admission.admitted ? 0 : admission.waitMs
    },
    take(key) {
      const admission = judge(key)
      if (!admission.admitted) return admission.waitMs
      due.set(key, admission.due)
      return 0
    },
  }
}
