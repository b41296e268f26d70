import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryStorage } from '../../../src/hosts/memory.ts'
import { createSealedCache } from '../../../src/registry/sealed-cache.ts'
import { createSharedAbsence } from '../../../src/registry/upstream/shared-absence.ts'
import { fakeClock } from './clocked-registry.ts'

function shared(entries = new Map<string, unknown>(), storage = memoryStorage()) {
  const clock = fakeClock()
  const cache = {
    get: async (key: string) => entries.get(key),
    set: async (key: string, value: unknown) => entries.set(key, value),
    delete: async (key: string) => entries.delete(key),
  }
  const absence = createSharedAbsence(createSealedCache(cache, storage), { now: clock.now, maxMs: 30_000 })
  return { clock, entries, absence }
}

test('createSharedAbsence() tells others for how long there is no file', async () => {
  const { clock, absence } = shared()
  assert.equal(await absence.remaining('up/foo'), 0)
  await absence.note('up/foo', 20_000)
  assert.equal(await absence.remaining('up/foo'), 20_000)
  assert.equal(await absence.remaining('up/bar'), 0)
  clock.advance(15_000)
  assert.equal(await absence.remaining('up/foo'), 5_000)
  clock.advance(5_000)
  assert.equal(await absence.remaining('up/foo'), 0)
})

test('createSharedAbsence() lets nothing hold too long, and believes nobody else', async () => {
  const storage = memoryStorage()
  const { clock, entries, absence } = shared(new Map(), storage)
  await absence.note('up/foo', 3_600_000)
  assert.equal(await absence.remaining('up/foo'), 30_000)
  // A clock that is an hour behind.
  clock.advance(-3_600_000)
  assert.equal(await absence.remaining('up/foo'), 0)
  clock.advance(3_600_000)
  const stranger = shared(entries)
  assert.equal(await stranger.absence.remaining('up/foo'), 0)
  entries.set('absent:up/bar', entries.get('absent:up/foo'))
  assert.equal(await absence.remaining('up/bar'), 0)
})
