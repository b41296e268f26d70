import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryStorage } from '../../../src/hosts/memory.ts'
import { encodeCopy, type UpstreamCopy } from '../../../src/protocol/upstream-copy.ts'
import { copyKey } from '../../../src/registry/keys.ts'
import { reliableStorage } from '../../../src/registry/reliable-storage.ts'
import { createCopyStore } from '../../../src/registry/upstream/copy-store.ts'
import { keysOf } from '../../support/watched-store.ts'

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const DAMAGED = ['', '{', '{"schema":2}', 'null', '{"schema":1,"n":1}']

function copy(n: number, body = `body ${n}\n`): UpstreamCopy {
  return { n, body: Buffer.from(body), etag: `"${n}"`, fetchedAt: '2026-01-02T03:04:05.000Z', firstSeen: {} }
}

function stored(storage = memoryStorage()) {
  return { storage, copies: createCopyStore(reliableStorage(storage), logger) }
}

test('newest() gives the copy with the highest number, of this uplink and this spelling of the name', async () => {
  const { copies } = stored()
  for (const n of [1, 2, 3]) await copies.add('up', 'foo-bar', copy(n))
  await copies.add('up', 'foo_bar', copy(7))
  await copies.add('other', 'foo-bar', copy(8))
  await copies.add('up', 'foo-bar-baz', copy(9))
  assert.deepEqual(await copies.newest('up', 'foo-bar'), copy(3))
  assert.deepEqual(await copies.newest('up', 'Foo-Bar'), copy(3))
  assert.equal(await copies.newest('up', 'foo'), undefined)
})

test('newer() sees what was stored after a copy, however much that was', async () => {
  const { copies } = stored()
  for (let n = 1; n <= 12; n++) await copies.add('up', 'foo', copy(n))
  for (const n of [1, 5, 10, 11]) assert.equal((await copies.newer('up', 'foo', copy(n)))?.n, 12)
  assert.equal(await copies.newer('up', 'foo', copy(12)), undefined)
})

test('newest() goes on when a copy is removed while it looks', async () => {
  const { storage, copies } = stored()
  await copies.add('up', 'foo', copy(1))
  const raced = stored({
    ...storage,
    async get(key, range) {
      // Between the list and this, others stored three more.
      for (const n of [2, 3, 4]) await copies.add('up', 'foo', copy(n))
      return storage.get(key, range)
    },
  })
  assert.equal((await raced.copies.newest('up', 'foo'))?.n, 4)
})

test('add() lets one of two win, and keeps the newest two', async () => {
  const { storage, copies } = stored()
  const won = await Promise.all([
    copies.add('up', 'foo', copy(1, 'a\n')),
    copies.add('up', 'foo', copy(1, 'b\n')),
  ])
  assert.deepEqual(won.toSorted(), [false, true])
  for (const n of [2, 3, 4]) await copies.add('up', 'foo', copy(n))
  assert.deepEqual(await keysOf(storage), [copyKey('up', 'foo', 3), copyKey('up', 'foo', 4)])
})

test('add() is done also when the old copy cannot be removed', async () => {
  const { copies } = stored({
    ...memoryStorage(),
    delete: async () => Promise.reject(new Error('read-only')),
  })
  for (const n of [1, 2, 3]) assert.equal(await copies.add('up', 'foo', copy(n)), true)
  assert.equal((await copies.newest('up', 'foo'))?.n, 3)
})

test('newest() fails for what it cannot read, instead of finding nothing', async () => {
  const { storage, copies } = stored()
  for (const bytes of DAMAGED) {
    await storage.put(copyKey('up', 'foo', 1), Buffer.from(bytes))
    await assert.rejects(copies.newest('up', 'foo'), /stored index copy/)
  }
})

test('newest() gives the copy before a damaged one, and its number to none again', async () => {
  for (const bytes of DAMAGED) {
    const { storage, copies } = stored()
    for (const n of [1, 2, 3]) await copies.add('up', 'foo', copy(n))
    await storage.put(copyKey('up', 'foo', 3), Buffer.from(bytes))
    const found = await copies.newest('up', 'foo')
    assert.deepEqual(found, { ...copy(2), n: 3 })
    assert.deepEqual(await copies.newer('up', 'foo', copy(2)), found)
    assert.equal(await copies.add('up', 'foo', copy(4)), true)
    assert.deepEqual(await copies.newest('up', 'foo'), copy(4))
  }
})

test('newest() finds a bit that flipped, wherever it is', async () => {
  const { storage, copies } = stored()
  for (const n of [1, 2]) await copies.add('up', 'foo', copy(n, `{"cksum":"${'0a'.repeat(32)}"}\n`))
  const whole = encodeCopy(copy(2, `{"cksum":"${'0a'.repeat(32)}"}\n`))
  const start = whole.indexOf('"body"')
  for (let at = start + 8; at < whole.length - 3; at++) {
    const flipped = Buffer.from(whole)
    flipped[at] = (flipped[at] ?? 0) ^ 1
    await storage.put(copyKey('up', 'foo', 2), flipped)
    assert.equal((await copies.newest('up', 'foo'))?.etag, '"1"', String(at))
  }
})

test('newest() fails while the store is away, whatever else is there', async () => {
  const { storage, copies } = stored()
  for (const n of [1, 2]) await copies.add('up', 'foo', copy(n))
  const away = stored({
    ...storage,
    get: async (key, range) => {
      if (key.endsWith('2.json')) throw new Error('EIO')
      return storage.get(key, range)
    },
  })
  await assert.rejects(away.copies.newest('up', 'foo'), /storage is not available/)
})
