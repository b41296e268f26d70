import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObjectStore } from '../../src/host.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { type DownloadRecord, parseDownloadRecords } from '../../src/protocol/download-record.ts'
import { createTrailWriter } from '../../src/registry/audit/trail-writer.ts'
import { readBytes, reliableStorage } from '../../src/registry/reliable-storage.ts'
import { keysOf, watchedStore } from '../support/watched-store.ts'

function writer(storage: ObjectStore) {
  const errors: object[] = []
  let time = new Date()
  const logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (object: object, message: string) => void errors.push({ ...object, message }),
  }
  const trail = createTrailWriter({ storage: reliableStorage(storage), logger, now: () => time })
  return {
    ...trail,
    errors,
    note({ crate, version, at }: DownloadRecord) {
      time = new Date(at)
      trail.note({ principal: undefined, via: 'http://registry.test/cargo' }, crate, version)
    },
  }
}

function record(n: number, day = '2026-06-01'): DownloadRecord {
  return { crate: 'foo', version: `1.0.${n}`, at: `${day}T00:00:00.000Z` }
}

async function batches(storage: ObjectStore) {
  const found: (readonly DownloadRecord[])[] = []
  for (const key of await keysOf(storage)) {
    const object = await storage.get(key)
    if (object !== undefined) found.push(parseDownloadRecords(await readBytes(object)))
  }
  return found
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => record(from + n))

test('records are stored by the thousand, and the rest at the end', async () => {
  const storage = memoryStorage()
  const trail = writer(storage)
  for (const one of range(0, 2500)) trail.note(one)
  await trail.close()
  const stored = await batches(storage)
  assert.deepEqual(
    stored.map(({ length }) => length),
    [1000, 1000, 500],
  )
  assert.deepEqual(stored.flat(), range(0, 2500))
})

test('a record is stored within five seconds, and tried again as long as that fails', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const storage = watchedStore()
  const trail = writer(storage)
  storage.away(true)
  trail.note(record(1))
  t.mock.timers.tick(5000)
  await new Promise((resolve) => setImmediate(resolve))
  storage.away(false)
  trail.note(record(2))
  t.mock.timers.tick(4999)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(await batches(storage), [])
  t.mock.timers.tick(1)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(await batches(storage), [[record(1)], [record(2)]])
})

test('a batch is of one day', async () => {
  const storage = memoryStorage()
  const trail = writer(storage)
  for (const day of ['2026-06-01', '2026-06-01', '2026-06-02']) trail.note(record(1, day))
  await trail.close()
  const folders = (await keysOf(storage)).map((key) => key.split('/').slice(0, 3).join('/'))
  assert.deepEqual(folders, ['audit/downloads/2026-06-01', 'audit/downloads/2026-06-02'])
  assert.deepEqual(
    (await batches(storage)).map(({ length }) => length),
    [2, 1],
  )
})

test('a batch whose answer was lost is stored once', async () => {
  const inner = memoryStorage()
  let isLost = true
  const storage: ObjectStore = {
    ...inner,
    async put(...args) {
      const result = await inner.put(...args)
      if (isLost) throw new Error('no answer')
      return result
    },
  }
  const trail = writer(storage)
  for (const one of range(0, 1000)) trail.note(one)
  await new Promise((resolve) => setImmediate(resolve))
  trail.note(record(1000))
  isLost = false
  await trail.close()
  assert.deepEqual((await batches(inner)).flat(), range(0, 1001))
})

test('while storage is away the newest ten thousand records wait, and the loss is told', async () => {
  const storage = watchedStore()
  const trail = writer(storage)
  storage.away(true)
  for (const one of range(0, 12_345)) trail.note(one)
  storage.away(false)
  await trail.close()
  const stored = (await batches(storage)).flat()
  assert.equal(stored.length, 10_000)
  assert.deepEqual(stored.at(-1), record(12_344))
  const message = 'records of the audit of downloads are lost: storage was away for too long'
  assert.deepEqual(trail.errors, [{ records: 2345, message }])
})

test('what cannot be stored at the end is told', async () => {
  const storage = watchedStore()
  const trail = writer(storage)
  storage.away(true)
  for (const one of range(0, 3)) trail.note(one)
  await trail.close()
  const message = 'records of the audit of downloads could not be stored and are lost'
  assert.deepEqual(trail.errors, [{ records: 3, message }])
})
