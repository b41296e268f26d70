import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inReplicaTurn } from '../../../src/registry/upstream/replica-turn.ts'

test('inReplicaTurn() works at once where the cache cannot lock', async () => {
  assert.equal(await inReplicaTurn({}, 'key', async () => 1), 1)
})

test('inReplicaTurn() gives the lock back, also when the work fails', async () => {
  let released = 0
  const cache = { lock: async () => async () => void released++ }
  assert.equal(await inReplicaTurn(cache, 'key', async () => 1), 1)
  await assert.rejects(
    inReplicaTurn(cache, 'key', () => Promise.reject(new Error('failed'))),
    /failed/,
  )
  assert.equal(released, 2)
})

test('inReplicaTurn() lets one after the other', async () => {
  let held = false
  const cache = {
    async lock() {
      if (held) return undefined
      held = true
      return async () => {
        held = false
      }
    },
  }
  let [running, most] = [0, 0]
  const work = async () => {
    most = Math.max(most, ++running)
    await sleep(10)
    running--
  }
  await Promise.all([1, 2, 3].map(() => inReplicaTurn(cache, 'key', work)))
  assert.equal(most, 1)
})

test('inReplicaTurn() waits for a dead replica, but not for ever', async () => {
  const startedAt = performance.now()
  assert.equal(await inReplicaTurn({ lock: async () => undefined }, 'key', async () => 1), 1)
  const waited = performance.now() - startedAt
  assert.ok(waited >= 4_900 && waited < 9_000, `waited ${waited} ms`)
})
