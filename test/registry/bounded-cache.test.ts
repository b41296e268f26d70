import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MetadataCache } from '../../src/host.ts'
import { memoryCache } from '../../src/hosts/cache.ts'
import { boundedCache, type CacheResult } from '../../src/registry/bounded-cache.ts'

async function timed<T>(run: () => Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const start = performance.now()
  const value = await run()
  return { value, ms: performance.now() - start }
}

const hung: MetadataCache = {
  get: () => new Promise(() => undefined),
  set: () => new Promise(() => undefined),
  delete: () => new Promise(() => undefined),
}

test('boundedCache() passes answers on', async () => {
  const cache = boundedCache(memoryCache())
  await cache.set('a', { b: [1, 'ä'] })
  assert.deepEqual(await cache.get('a'), { b: [1, 'ä'] })
  await cache.delete('a')
  assert.equal(await cache.get('a'), undefined)
  assert.equal(cache.lock, undefined)
})

test('boundedCache() gives up at the deadline and skips what is beyond its limit', async () => {
  const results: CacheResult[] = []
  const options = {
    deadlineMs: 30,
    maxInFlight: 3,
    onResult: (_: string, result: CacheResult) => results.push(result),
  }
  const cache = boundedCache(hung, options)
  const { ms } = await timed(() => Promise.all([1, 2, 3, 4, 5].map((i) => cache.get(`${i}`))))
  assert.ok(ms < 200, `${ms} ms`)
  assert.deepEqual(results.sort(), ['skipped', 'skipped', 'timeout', 'timeout', 'timeout'])
  assert.equal((await timed(() => cache.set('a', 1))).ms < 20, true)
})

test('boundedCache() leaves a failing cache alone for a second, then tries once', async () => {
  let calls = 0
  let broken = true
  const fail = (): Promise<unknown> => {
    calls++
    // Thrown, not rejected: an adapter may do either.
    if (broken) throw new Error('broken')
    return Promise.resolve('value')
  }
  const cache = boundedCache({ get: fail, set: fail, delete: fail })
  for (let i = 0; i < 20; i++) assert.equal(await cache.get('a'), undefined)
  assert.equal(calls, 5)
  await sleep(1050)
  await Promise.all([cache.get('a'), cache.set('a', 1), cache.delete('a')])
  assert.equal(calls, 6)
  broken = false
  await sleep(1050)
  assert.equal(await cache.get('a'), 'value')
  assert.equal(await cache.get('a'), 'value')
})

test('boundedCache() grants a lock when the cache cannot say', async () => {
  const cache = boundedCache({ ...hung, lock: () => Promise.reject(new Error('broken')) })
  const release = await cache.lock?.('a', 1000)
  await release?.()
  assert.equal(typeof release, 'function')
  const held = boundedCache({ ...hung, lock: async () => undefined })
  assert.equal(await held.lock?.('a', 1000), undefined)
})
