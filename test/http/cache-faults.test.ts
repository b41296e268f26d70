import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MetadataCache } from '../../src/host.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

/** Slower would mean that somebody waits for the cache again and again. */
const FAST_MS = 900

function cacheThat(answer: () => Promise<unknown>): MetadataCache {
  return { get: answer, set: answer, delete: answer }
}

const BAD_CACHES: Readonly<Record<string, () => Promise<unknown>>> = {
  hangs: () => new Promise(() => {}),
  rejects: () => Promise.reject(new Error('the cache is away')),
  throws: () => {
    throw new Error('the cache is broken')
  },
  'answers garbage': async () => 'garbage',
  'answers bytes': async () => Buffer.from('garbage'),
  'answers objects': async () => ({ name: 'foo', versions: [] }),
  'answers an unsealed record': async () =>
    `${'0'.repeat(64)}{"schema":1,"name":"foo","n":1,"versions":[],"removedVersions":[]}`,
}

for (const [name, answer] of Object.entries(BAD_CACHES)) {
  test(`a cache that ${name} changes no answer`, async (t) => {
    const storage = memoryStorage()
    const cache = cacheThat(answer)
    const writer = await startApp(t, { host: { storage, cache } })
    const startedAt = performance.now()
    assert.equal((await writer.publish(crateFile())).status, 200)
    const wanted = await writer.request('/3/f/foo')
    const reader = await startApp(t, { host: { storage, cache } })
    const { status, text } = await reader.request('/3/f/foo')
    assert.deepEqual([status, text], [200, wanted.text])
    assert.equal((await reader.request('/3/b/bar')).status, 404)
    const took = performance.now() - startedAt
    assert.ok(took < FAST_MS, `took ${took} ms`)
  })
}

function mapCache(entries: Map<string, unknown>): MetadataCache {
  return {
    get: async (key) => entries.get(key),
    set: async (key, value) => entries.set(key, value),
    delete: async (key) => entries.delete(key),
  }
}

test('a copy from another registry is not believed', async (t) => {
  const entries = new Map<string, unknown>()
  const cache = mapCache(entries)
  const other = await startApp(t, { host: { cache } })
  await other.publish(crateFile().add('foo-1.0.0/evil.rs'))
  await other.request('/3/f/foo')
  const storage = memoryStorage()
  const writer = await startApp(t, { host: { storage } })
  await writer.publish(crateFile())
  const app = await startApp(t, { host: { storage, cache } })
  assert.equal((await app.request('/3/f/foo')).text, (await writer.request('/3/f/foo')).text)
})

test('a copy under the name of another crate is not believed', async (t) => {
  const entries = new Map<string, unknown>()
  const [storage, cache] = [memoryStorage(), mapCache(entries)]
  const writer = await startApp(t, { host: { storage, cache } })
  for (const name of ['foo', 'bar']) await writer.publish(crateFile(name))
  await writer.close()
  assert.ok(entries.has('record:bar'))
  entries.set('record:foo', entries.get('record:bar'))
  const app = await startApp(t, { host: { storage, cache } })
  assert.equal(JSON.parse((await app.request('/3/f/foo')).text).name, 'foo')
})

test('an old copy is brought up to date', async (t) => {
  const entries = new Map<string, unknown>()
  const [storage, cache] = [memoryStorage(), mapCache(entries)]
  const writer = await startApp(t, { host: { storage, cache } })
  await writer.publish(crateFile())
  await writer.request('/3/f/foo')
  await new Promise((resolve) => setImmediate(resolve))
  const old = new Map(entries)
  await writer.publish(crateFile('foo', '2.0.0'))
  const wanted = await writer.request('/3/f/foo')
  const app = await startApp(t, { host: { storage, cache: mapCache(old) } })
  assert.ok(old.has('record:foo'))
  assert.equal((await app.request('/3/f/foo')).text, wanted.text)
})
