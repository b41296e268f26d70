import { setTimeout as sleep } from 'node:timers/promises'

/** What a promise resolves to, or `undefined` after `ms`; it goes on by itself, and may fail unheard. */
export async function withinTime<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const late = new AbortController()
  const timer = sleep(ms, undefined, { signal: late.signal }).catch(() => undefined)
  try {
    return await Promise.race([promise, timer])
  } finally {
    late.abort()
  }
}
