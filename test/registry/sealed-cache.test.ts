import assert from 'node:assert/strict'
import test from 'node:test'
import type { MetadataCache } from '../../src/host.ts'
import { memoryCache } from '../../src/hosts/cache.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { CACHE_SECRET_KEY } from '../../src/registry/keys.ts'
import { createSealedCache } from '../../src/registry/sealed-cache.ts'
import { keysOf, watchedStore } from '../support/watched-store.ts'

const COPY = Buffer.from('{"näme":"foo"}')

test('get() gives back what any process on the same store set', async () => {
  const [cache, storage] = [memoryCache(), memoryStorage()]
  const [one, two] = [createSealedCache(cache, storage), createSealedCache(cache, storage)]
  await Promise.all([one.set('a', COPY), two.set('b', COPY)])
  for (const key of ['a', 'b']) {
    assert.deepEqual(await one.get(key), COPY)
    assert.deepEqual(await two.get(key), COPY)
  }
  assert.deepEqual(await keysOf(storage), [CACHE_SECRET_KEY])
})

test('get() takes whatever else is found for a miss', async () => {
  const [cache, storage] = [memoryCache(), memoryStorage()]
  const results: string[] = []
  const sealed = createSealedCache(cache, storage, (result) => results.push(result))
  await sealed.set('a', COPY)
  const value = String(await cache.get('a'))
  assert.deepEqual(await sealed.get('a'), COPY)
  const strange: readonly unknown[] = [
    '',
    'garbage',
    '0'.repeat(64),
    `${'0'.repeat(64)}${COPY}`,
    'ä'.repeat(64),
    COPY.toString(),
    value.slice(0, 64),
    value.slice(0, -1),
    value.slice(1),
    `${value} `,
    value.replace('foo', 'bar'),
    7,
    { value },
  ]
  for (const one of strange) {
    await cache.set('a', one)
    assert.equal(await sealed.get('a'), undefined, JSON.stringify(one))
  }
  assert.equal(await sealed.get('absent'), undefined)
  assert.deepEqual(results, ['hit', ...strange.map(() => 'rejected'), 'miss'])
})

test('get() refuses a copy of another key and of another store', async () => {
  const [cache, storage] = [memoryCache(), memoryStorage()]
  const sealed = createSealedCache(cache, storage)
  await sealed.set('a', COPY)
  await cache.set('b', await cache.get('a'))
  assert.equal(await sealed.get('b'), undefined)
  assert.equal(await createSealedCache(cache, memoryStorage()).get('a'), undefined)
})

test('get() and set() never throw', async () => {
  const fail = async () => {
    throw new Error('broken')
  }
  const broken: MetadataCache = { get: fail, set: fail, delete: fail }
  const sealed = createSealedCache(broken, memoryStorage())
  await sealed.set('a', COPY)
  assert.equal(await sealed.get('a'), undefined)
})

test('get() and set() work again after the store was away', async () => {
  const [cache, store] = [memoryCache(), watchedStore()]
  const sealed = createSealedCache(cache, store)
  store.away(true)
  await sealed.set('a', COPY)
  await cache.set('a', 'x'.repeat(100))
  assert.equal(await sealed.get('a'), undefined)
  store.away(false)
  await sealed.set('a', COPY)
  assert.deepEqual(await sealed.get('a'), COPY)
})
