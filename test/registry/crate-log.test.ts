import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CargoError } from '../../src/errors.ts'
import type { MetadataCache, ObjectStore } from '../../src/host.ts'
import { memoryCache } from '../../src/hosts/cache.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import type { Change } from '../../src/protocol/change.ts'
import type { CrateRecord } from '../../src/protocol/record.ts'
import { type CrateLog, createCrateLog } from '../../src/registry/crate-log.ts'
import { changeKey, checkpointKey } from '../../src/registry/keys.ts'
import { createSealedCache } from '../../src/registry/sealed-cache.ts'
import { plain, publishing } from '../support/changes.ts'
import { keysOf, watchedStore } from '../support/watched-store.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const noCache: MetadataCache = {
  get: async () => undefined,
  set: async () => undefined,
  delete: async () => undefined,
}

interface Clock {
  time: number
}

function open(storage: ObjectStore, clock: Clock = { time: 0 }, cache = noCache): CrateLog {
  return createCrateLog({
    storage,
    cache: createSealedCache(cache, storage),
    logger: quiet,
    monotonic: () => clock.time,
  })
}

/** Publishes the version whose patch number is the change's, whatever that turns out to be. */
const next =
  (name = 'foo') =>
  (record: CrateRecord | undefined): Change =>
    publishing(name, `1.0.${(record?.n ?? 0) + 1}`)

async function appendMany(log: CrateLog, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await log.append('foo', next())
}

test('append() keeps what another log wrote', async () => {
  const storage = memoryStorage()
  const [one, two] = [open(storage), open(storage)]
  await one.append('foo', () => publishing('foo', '1.0.0'))
  await two.append('foo', () => publishing('foo', '1.1.0'))
  const record = await one.append('Foo', () => publishing('foo', '1.2.0'))
  assert.deepEqual([...(record?.versions.keys() ?? [])], ['1.0.0', '1.1.0', '1.2.0'])
  assert.deepEqual(
    await keysOf(storage, 'crates/'),
    [1, 2, 3].map((n) => changeKey('foo', n)),
  )
})

test('append() shows no change before what it names is stored, and none that names what was not', async () => {
  const storage = memoryStorage()
  const log = open(storage)
  const blob = Promise.withResolvers<void>()
  const appending = log.append('foo', next(), blob.promise)
  await sleep(20)
  assert.deepEqual(await keysOf(storage, 'crates/'), [])
  assert.equal((await log.read('foo', { fresh: true })).record, undefined)
  blob.resolve()
  assert.equal((await appending)?.n, 1)
  const failure = new CargoError('storage_full', 'the storage is full')
  await assert.rejects(log.append('foo', next(), Promise.reject(failure)), failure)
  assert.equal((await log.read('foo')).record?.n, 1)
  assert.deepEqual(await keysOf(storage, 'crates/'), [changeKey('foo', 1)])
})

test('append() loses none of 64 concurrent changes of two logs', async () => {
  const storage = memoryStorage()
  const logs = [open(storage), open(storage)]
  const versions = Array.from({ length: 64 }, (_, i) => `1.0.${i}`)
  await Promise.all(
    versions.map((vers, i) => logs[i % 2]?.append('foo', () => publishing('foo', vers, { id: vers }))),
  )
  for (const log of [...logs, open(storage)]) {
    const { record } = await log.read('foo', { fresh: true })
    assert.equal(record?.n, 64)
    assert.deepEqual(new Set(record.versions.keys()), new Set(versions))
  }
})

test('append() writes nothing without a change, and nothing when it is refused', async () => {
  const storage = memoryStorage()
  const log = open(storage)
  assert.equal(await log.append('foo', () => undefined), undefined)
  const refuse = () => {
    throw new RangeError('no')
  }
  await assert.rejects(log.append('foo', refuse), RangeError)
  assert.deepEqual(await keysOf(storage), [])
  assert.equal((await log.append('foo', next()))?.n, 1, 'the queue goes on')
})

test('append() makes a change of what it knows, and takes the next number when that is old', async () => {
  const storage = memoryStorage()
  const asked: string[] = []
  const stat: ObjectStore['stat'] = async (key) => {
    asked.push(key)
    return storage.stat(key)
  }
  const [one, two] = [open({ ...storage, stat }), open(storage)]
  await one.read('foo')
  await one.append('foo', next())
  assert.deepEqual(asked, [changeKey('foo', 1)], 'nobody looked again')
  await two.append('foo', next())
  assert.deepEqual(
    [...((await one.append('foo', next()))?.versions.keys() ?? [])],
    ['1.0.1', '1.0.2', '1.0.3'],
  )
})

test('append() refuses, and finds nothing to do, only after it has looked', async () => {
  const storage = memoryStorage()
  const [one, two] = [open(storage), open(storage)]
  const mustBeThere = (record: CrateRecord | undefined) => {
    if (record === undefined) throw new RangeError('no')
    return next()(record)
  }
  const unlessThere = (record: CrateRecord | undefined) => (record?.n === 3 ? next()(record) : undefined)
  await one.read('foo')
  await two.append('foo', next())
  assert.equal((await one.append('foo', mustBeThere))?.n, 2)
  await two.append('foo', next())
  assert.equal((await one.append('foo', unlessThere))?.n, 4)
})

test('append() recognises its own change when the answer was lost', async () => {
  const storage = memoryStorage()
  const liar: ObjectStore = {
    ...storage,
    async put(key, body, options) {
      await storage.put(key, body, options)
      return false
    },
  }
  const record = await open(liar).append('foo', () => publishing('foo', '1.0.0'))
  assert.deepEqual([...(record?.versions.keys() ?? [])], ['1.0.0'])
  assert.deepEqual(await keysOf(storage, 'crates/'), [changeKey('foo', 1)])
})

test('read() looks at once after a write of which nobody knows how it ended', async () => {
  const storage = memoryStorage()
  let isUnsynced = true
  const log = open({
    ...storage,
    async put(key, body, options) {
      const placed = await storage.put(key, body, options)
      if (isUnsynced && key.startsWith('crates/')) throw new Error('the folder could not be synced')
      return placed
    },
  })
  assert.equal((await log.read('foo')).record, undefined)
  await assert.rejects(
    log.append('foo', () => publishing('foo', '1.0.0')),
    /could not be synced/,
  )
  assert.deepEqual([...((await log.read('foo')).record?.versions.keys() ?? [])], ['1.0.0'])
  isUnsynced = false
  const record = await log.append('foo', () => publishing('foo', '1.1.0'))
  assert.deepEqual([...(record?.versions.keys() ?? [])], ['1.0.0', '1.1.0'])
})

test('read() trusts what it knows for a second, also that there is nothing', async () => {
  const storage = memoryStorage()
  const clock = { time: 0 }
  const [reader, writer] = [open(storage, clock), open(storage, clock)]
  for (const known of [0, 1]) {
    assert.equal((await reader.read('foo')).record?.n ?? 0, known)
    await writer.append('foo', next())
    assert.equal((await writer.read('foo')).record?.n, known + 1, 'at once where it was written')
    clock.time += 1000
    assert.equal((await reader.read('foo')).record?.n ?? 0, known)
    clock.time += 1
    assert.equal((await reader.read('foo')).record?.n, known + 1)
    clock.time += 1001
  }
})

test('read() looks at once when it must be fresh', async () => {
  const storage = memoryStorage()
  const [reader, writer] = [open(storage), open(storage)]
  await reader.read('foo')
  await writer.append('foo', next())
  assert.equal((await reader.read('foo')).record, undefined)
  assert.equal((await reader.read('foo', { fresh: true })).record?.n, 1)
})

test('read() serves the last state for a minute while the store is away', async () => {
  const store = watchedStore()
  const clock = { time: 0 }
  const log = open(store, clock)
  await log.append('foo', next())
  await log.read('bar')
  store.away(true)
  const unavailable = { code: 'unavailable', status: 503 }
  for (const [time, stale] of [
    [1000, false],
    [1001, true],
    [60_000, true],
  ] as const) {
    clock.time = time
    const found = await log.read('foo')
    assert.deepEqual([found.record?.n, found.stale], [1, stale], `${time} ms`)
  }
  await assert.rejects(log.read('bar'), unavailable, 'absence is not served stale')
  await assert.rejects(log.read('foo', { fresh: true }), unavailable)
  clock.time = 60_001
  await assert.rejects(log.read('foo'), unavailable)
  store.away(false)
  assert.equal((await log.read('foo')).stale, false)
})

test('read() refuses a damaged log and a change of a newer schema', async () => {
  for (const bytes of ['garbage', JSON.stringify({ schema: 2, ...publishing('foo', '1.0.0') })]) {
    const storage = memoryStorage()
    await storage.put(changeKey('foo', 1), Buffer.from(bytes))
    const log = open(storage)
    await assert.rejects(log.read('foo'), { code: 'internal' })
    await assert.rejects(log.append('foo', next()), { code: 'internal' })
    assert.deepEqual(await keysOf(storage), [changeKey('foo', 1)])
  }
})

test('append() leaves a checkpoint every 32 changes, and a cold log begins there', async () => {
  const store = watchedStore()
  const warm = open(store)
  await appendMany(warm, 31)
  await warm.close()
  assert.deepEqual(await keysOf(store, 'checkpoints/'), [])
  await appendMany(warm, 39)
  await warm.close()
  assert.deepEqual(await keysOf(store, 'checkpoints/'), [checkpointKey('foo')])
  store.reads.length = 0
  const { record } = await open(store).read('foo')
  assert.deepEqual(plain(record), plain((await warm.read('foo')).record))
  const replayed = [65, 66, 67, 68, 69, 70, 71].map((n) => changeKey('foo', n))
  const changes = store.reads.filter((key) => key.startsWith('crates/') && key !== changeKey('foo', 64))
  assert.deepEqual(changes, replayed)
})

test('read() ignores a checkpoint that is damaged, foreign or ahead of the log', async () => {
  const storage = memoryStorage()
  const log = open(storage)
  await appendMany(log, 40)
  await log.append('bar', next('bar'))
  await log.close()
  const { record } = await log.read('foo')
  const copy = await storage.get(checkpointKey('foo'))
  const text = (await copy?.body.toArray())?.join('') ?? ''
  for (const damaged of [
    text.slice(0, -1),
    text.replace('"schema":1', '"schema":2'),
    text.replaceAll('"name":"foo"', '"name":"bar"'),
    text.replace('"n":32', '"n":64'),
    '',
  ]) {
    await storage.put(checkpointKey('foo'), Buffer.from(damaged))
    const found = (await open(storage).read('foo')).record
    assert.deepEqual(plain(found), plain(record), damaged.slice(0, 40))
  }
})

test('read() begins with the shared copy, if the store knows its last change', async () => {
  const store = watchedStore()
  const cache = memoryCache()
  const writer = open(store, undefined, cache)
  await appendMany(writer, 5)
  await writer.close()
  store.reads.length = 0
  const reader = open(store, undefined, cache)
  assert.equal((await reader.read('foo')).record?.n, 5)
  const changes = () => store.reads.filter((key) => key.startsWith('crates/'))
  assert.deepEqual(changes(), [changeKey('foo', 5)])
})

test('read() does not use a shared copy that is newer than a restored store', async () => {
  const storage = memoryStorage()
  const cache = memoryCache()
  const writer = open(storage, undefined, cache)
  await appendMany(writer, 5)
  await writer.close()
  await storage.delete(changeKey('foo', 5))
  assert.equal((await open(storage, undefined, cache).read('foo')).record?.n, 4)
  const other = publishing('foo', '2.0.0')
  await open(storage).append('foo', () => other)
  const { record } = await open(storage, undefined, cache).read('foo')
  assert.equal(record?.lastId, other.id)
  assert.equal(record.versions.has('1.0.5'), false)
})
