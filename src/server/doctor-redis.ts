import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClosableCache } from '../hosts/redis-cache.ts'
import type { RedisAddress } from '../hosts/redis-client.ts'
import { type Outcomes, ok, renderMs, wrong } from './doctor-outcome.ts'
import { reasonOf } from './reason.ts'

const ROUNDS = 20
const TTL_MS = 10_000
/** The plugin does without an answer after a tenth of a second; near that the cache costs more than it gives. */
const SLOW_MS = 20
const DEADLINE_MS = 5_000

/** Whether Redis answers, and fast enough to be worth asking. Its URL may hold a password and is not told. */
export async function* checkRedis(address: RedisAddress): Outcomes {
  const host = [address]
    .flat()
    .map((url) => new URL(url).host)
    .join(', ')
  const { redisCache } = await import('../hosts/redis-cache.ts')
  const cache = redisCache(address)
  try {
    yield* askRedis(cache, host)
  } catch (error) {
    yield wrong(
      `at ${host}: ${reasonOf(error)}`,
      'start it, or correct host, port, user, password or `rediss:` in `redis`; until then everything works, slower',
    )
  } finally {
    await cache.close()
  }
}

async function* askRedis(cache: ClosableCache, host: string): Outcomes {
  const key = `selftest:${randomUUID()}`
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = performance.now()
    await withinDeadline(cache.set(key, String(round), TTL_MS))
    const found = await withinDeadline(cache.get(key))
    times.push((performance.now() - before) / 2)
    if (found !== String(round)) throw new Error('what is set is not what is got: is it full, or a replica?')
  }
  await withinDeadline(cache.delete(key))
  const release = await withinDeadline(cache.lock?.(key, TTL_MS) ?? Promise.resolve(undefined))
  const second = await withinDeadline(cache.lock?.(key, TTL_MS) ?? Promise.resolve(undefined))
  await release?.()
  if (release === undefined || second !== undefined) throw new Error('a lock is not held by exactly one')
  const median = times.sort((a, b) => a - b)[ROUNDS / 2] ?? 0
  if (median > SLOW_MS)
    yield wrong(
      `at ${host}: a call takes ${renderMs(median)}`,
      'bring it nearer: the store answers faster than that',
    )
  else yield ok(`at ${host}: set, get and lock, ${renderMs(median)} for a call`)
}

async function withinDeadline<T>(call: Promise<T>): Promise<T> {
  const ended = new AbortController()
  const late = sleep(DEADLINE_MS, undefined, { signal: ended.signal }).then(() => {
    throw new Error(`no answer within ${DEADLINE_MS / 1000} s`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([call, late])
  } finally {
    ended.abort()
  }
}
