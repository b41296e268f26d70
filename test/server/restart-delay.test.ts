import assert from 'node:assert/strict'
import { test } from 'node:test'
import { restartDelay } from '../../src/server/restart-delay.ts'

test('restartDelay() doubles while lives are short, up to half a minute', () => {
  const delays: number[] = []
  let failures = 0
  for (let n = 0; n < 12; n++) {
    const delay = restartDelay(failures, 1000)
    failures = delay.failures
    delays.push(delay.ms)
  }
  assert.deepEqual(delays.slice(0, 4), [200, 400, 800, 1600])
  assert.deepEqual(delays.slice(-2), [30_000, 30_000])
})

test('restartDelay() begins anew after a long life', () => {
  assert.deepEqual(restartDelay(9, 3_600_000), { failures: 1, ms: 200 })
})
