import type { MetadataCache } from '../host.ts'
import { circuitBreaker } from './circuit-breaker.ts'

export type CacheOperation = 'get' | 'set' | 'delete' | 'lock'

/** How a call went; `skipped` calls never reached the cache. */
export type CacheResult = 'ok' | 'failed' | 'timeout' | 'skipped'

export interface BoundedCacheOptions {
  /** Milliseconds until a call is given up; default 100. */
  readonly deadlineMs?: number
  /** Calls that may be unanswered at a time; more are skipped; default 64. */
  readonly maxInFlight?: number
  /** Told of every call, for metrics and logs; must not throw. */
  readonly onResult?: (operation: CacheOperation, result: CacheResult, error?: unknown) => void
}

/**
 * Makes a cache harmless: no call throws or takes longer than its deadline, and a cache that fails is left alone
 * for a second at a time. A call without an answer is a miss; a lock without an answer is granted, since it only
 * saves work and waiting would not.
 */
export function boundedCache(cache: MetadataCache, options: BoundedCacheOptions = {}): MetadataCache {
  const { deadlineMs = 100, maxInFlight = 64, onResult } = options
  const breaker = circuitBreaker()
  let inFlight = 0

  async function call<T>(operation: CacheOperation, run: () => Promise<T>, otherwise: T): Promise<T> {
    if (inFlight >= maxInFlight || !breaker.admits()) {
      onResult?.(operation, 'skipped')
      return otherwise
    }
    inFlight++
    // Inside `async`, so that a cache that throws instead of rejecting is no exception.
    const running = (async () => run())().finally(() => inFlight--)
    const outcome = await settle(running, deadlineMs)
    breaker.report(outcome.result === 'ok')
    onResult?.(operation, outcome.result, outcome.error)
    return outcome.result === 'ok' ? outcome.value : otherwise
  }

  const lock = cache.lock?.bind(cache)
  return {
    get: (key) => call('get', () => cache.get(key), undefined),
    set: (key, value, ttlMs) => call('set', () => cache.set(key, value, ttlMs), undefined),
    delete: (key) => call('delete', () => cache.delete(key), undefined),
    ...(lock && {
      lock: async (key: string, ttlMs: number) => {
        const release = await call('lock', () => lock(key, ttlMs), noRelease)
        return release && (() => call('lock', release, undefined))
      },
    }),
  }
}

type Outcome<T> =
  | { readonly result: 'ok'; readonly value: T; readonly error?: undefined }
  | { readonly result: 'failed' | 'timeout'; readonly error?: unknown }

/** How a promise ends within `ms`; what it does later is ignored. */
async function settle<T>(promise: Promise<T>, ms: number): Promise<Outcome<T>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Outcome<T>>((resolve) => {
    timer = setTimeout(() => resolve({ result: 'timeout' }), ms)
  })
  const ended = promise.then(
    (value): Outcome<T> => ({ result: 'ok', value }),
    (error: unknown): Outcome<T> => ({ result: 'failed', error }),
  )
  const outcome = await Promise.race([ended, late])
  clearTimeout(timer)
  return outcome
}

async function noRelease(): Promise<void> {
  // Nothing is held.
}
