import assert from 'node:assert/strict'
import test from 'node:test'
import type { ObjectStore } from '../../src/host.ts'
import { memoryCache } from '../../src/hosts/cache.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import type { Change } from '../../src/protocol/change.ts'
import type { CatalogueEntry } from '../../src/registry/catalogue/entry.ts'
import { type Catalogue, createCatalogue } from '../../src/registry/catalogue.ts'
import { encodeList, readSnapshot } from '../../src/registry/catalogue-list.ts'
import { createCrateLog } from '../../src/registry/crate-log.ts'
import { ADDITIONS_PREFIX, additionKey, SNAPSHOTS_PREFIX, snapshotKey } from '../../src/registry/keys.ts'
import { createSealedCache } from '../../src/registry/sealed-cache.ts'
import { indexEntry, publishing, recordOf, stamp } from '../support/changes.ts'
import { keysOf, watchedStore } from '../support/watched-store.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

function open(storage: ObjectStore, clock = { time: 0 }): Catalogue {
  return createCatalogue({ storage, logger, monotonic: () => clock.time })
}

async function entriesIn(catalogue: Catalogue): Promise<readonly CatalogueEntry[]> {
  const table = await catalogue.read()
  const rows = Array.from({ length: table.rows }, (_, row) => row)
  return table.entriesOf(rows.filter((row) => !table.isGone(row)))
}

async function namesIn(catalogue: Catalogue): Promise<readonly string[]> {
  return (await entriesIn(catalogue)).map(({ name }) => name).sort()
}

const crate = (name: string) => recordOf(publishing(name, '1.0.0'))

/** Lets what runs behind a call run. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 20))

test('read() shows what another catalogue added after the poll interval', async () => {
  const storage = memoryStorage()
  const clock = { time: 0 }
  const [one, two] = [open(storage, clock), open(storage, clock)]
  assert.deepEqual([await namesIn(one), await namesIn(two)], [[], []])
  one.note(crate('a'))
  two.note(crate('b'))
  await Promise.all([one.flush(), two.flush()])
  assert.deepEqual(await keysOf(storage), [additionKey(1), additionKey(2)])
  assert.deepEqual(await namesIn(one), ['a'])
  clock.time = 2000
  assert.deepEqual(await namesIn(one), ['a'])
  clock.time = 2001
  assert.deepEqual(await namesIn(one), ['a', 'b'])
  assert.deepEqual(await namesIn(two), ['a', 'b'])
})

test('note() stores without a flush, also what comes during a write', async () => {
  const storage = memoryStorage()
  const catalogue = open(storage)
  catalogue.note(crate('a'))
  await settled()
  assert.deepEqual(await namesIn(open(storage)), ['a'])
  let gate = () => {}
  const slow: ObjectStore = {
    ...storage,
    async put(key, body, options) {
      await new Promise<void>((resolve) => {
        gate = resolve
      })
      return storage.put(key, body, options)
    },
  }
  const busy = open(slow)
  for (const name of ['b', 'c', 'd']) {
    busy.note(crate(name))
    await settled()
  }
  gate()
  await settled()
  gate()
  await settled()
  assert.deepEqual(await namesIn(open(storage)), ['a', 'b', 'c', 'd'])
})

test('note() tries again after a write failed', async () => {
  const store = watchedStore()
  const catalogue = open(store)
  store.away(true)
  catalogue.note(crate('a'))
  await settled()
  store.away(false)
  catalogue.note(crate('b'))
  await settled()
  assert.deepEqual(await namesIn(open(store)), ['a', 'b'])
})

test('note() stores the newest state once, and no older one over it', async () => {
  const storage = memoryStorage()
  const first = publishing('foo', '1.0.0')
  const [old, now] = [recordOf(first), recordOf(first, publishing('foo', '1.1.0'))]
  for (const record of [now, old, now]) {
    const catalogue = open(storage)
    await catalogue.read()
    catalogue.note(record)
    await catalogue.flush()
  }
  assert.deepEqual(await keysOf(storage), [additionKey(1)])
  const [entry] = await entriesIn(open(storage))
  assert.equal(entry?.max_version, '1.1.0')
})

test('note() summarises what is offered', async () => {
  const details = { size: 1, description: 'new', keywords: ['k'], categories: [], authors: [] }
  const yank = (vers: string): Change => ({ kind: 'yank', ...stamp(), vers })
  const pub = (vers: string) => publishing('foo', vers, { entry: indexEntry({ vers }), details })
  const cases: readonly (readonly [readonly Change[], string | undefined])[] = [
    [[pub('1.10.0'), pub('1.9.0'), pub('2.0.0-a')], '1.10.0'],
    [[pub('1.0.0'), pub('2.0.0'), yank('2.0.0')], '1.0.0'],
    [[pub('1.0.0'), pub('2.0.0'), yank('1.0.0'), yank('2.0.0')], '2.0.0'],
    [[pub('1.0.0-a'), pub('1.0.0-b')], '1.0.0-b'],
    [[pub('1.0.0'), { kind: 'remove', ...stamp() }], undefined],
  ]
  for (const [changes, wanted] of cases) {
    const catalogue = open(memoryStorage())
    catalogue.note(recordOf(...changes))
    await catalogue.flush()
    const [entry] = await entriesIn(catalogue)
    assert.equal(entry?.max_version, wanted)
    if (entry !== undefined) assert.deepEqual([entry.description, entry.keywords], ['new', ['k']])
  }
})

test('flush() leaves a snapshot after 256 additions, where a new catalogue begins', async () => {
  const store = watchedStore()
  const catalogue = open(store)
  for (let i = 1; i <= 258; i++) {
    catalogue.note(crate(`c${i}`))
    await catalogue.flush()
    if (i === 255) assert.deepEqual(await keysOf(store, SNAPSHOTS_PREFIX), [])
  }
  assert.deepEqual(await keysOf(store, SNAPSHOTS_PREFIX), [snapshotKey(256)])
  assert.equal((await keysOf(store, ADDITIONS_PREFIX)).length, 258)
  store.reads.length = 0
  assert.equal((await namesIn(open(store))).length, 258)
  assert.deepEqual(store.reads, [snapshotKey(256), additionKey(257), additionKey(258)])
})

test('note() heals a kill between a change and its addition', async () => {
  const storage = memoryStorage()
  const logOf = (onColdRead?: Catalogue['note']) =>
    createCrateLog({
      storage,
      cache: createSealedCache(memoryCache(), storage),
      logger,
      monotonic: () => 0,
      ...(onColdRead && { onColdRead }),
    })
  await logOf().append('foo', () => publishing('foo', '1.0.0'))
  const catalogue = open(storage)
  assert.deepEqual(await namesIn(catalogue), [])
  await logOf(catalogue.note).read('foo')
  await catalogue.flush()
  assert.deepEqual(await namesIn(catalogue), ['foo'])
  assert.deepEqual(await namesIn(open(storage)), ['foo'])
})

test('read() does without what is damaged', async () => {
  const storage = memoryStorage()
  const catalogue = open(storage)
  for (const name of ['a', 'b', 'c']) {
    catalogue.note(crate(name))
    await catalogue.flush()
  }
  await storage.put(snapshotKey(1), Buffer.from('[]'))
  await storage.put(snapshotKey(2), Buffer.from('{"schema":1,"entries":[]}'))
  await storage.put(additionKey(2), Buffer.from('[{'))
  assert.deepEqual(await namesIn(open(storage)), ['c'])
})

test('read() takes the snapshots of earlier builds, which are one list, in parts', async () => {
  const entries = Array.from({ length: 900 }, (_, index) => ({
    ...{ name: `c${index}`, n: 1, max_version: '1.0.0', keywords: ['k'], updated: '2026-01-01T00:00:00Z' },
    // What is between two entries, as far as a text can have it.
    description: `${'},{"name":"'.repeat(index % 20)} ä ]} "],"seal":"`,
  }))
  const list = encodeList(entries)
  const flipped = Buffer.from(list)
  flipped[list.indexOf('c500')] = 'd'.charCodeAt(0)
  const cases: readonly (readonly [Buffer, number])[] = [
    [list, 900],
    [Buffer.from(JSON.stringify(entries)), 900],
    [flipped, 0],
    [Buffer.from(JSON.stringify(entries).slice(0, -30)), 0],
  ]
  for (const [bytes, count] of cases) {
    const storage = memoryStorage()
    await storage.put(snapshotKey(7), bytes)
    const found = await entriesIn(open(storage))
    if (count > 0) assert.deepEqual(found, entries)
    else assert.ok(found.length < 900)
    const lists: (readonly CatalogueEntry[])[] = []
    const read = async () => {
      for await (const one of readSnapshot([bytes])) lists.push(one)
    }
    await (count > 0 ? read() : assert.rejects(read(), { code: 'internal' }))
    if (count > 0) assert.ok(lists.length > 1, 'no part is all of it')
  }
})
