import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RETRY_DELAYS, retryDelay } from '../../src/webhooks/schedule.ts'

const HOUR = 3_600_000

test('the attempts go on for about a day, with waits that never shrink', () => {
  const sum = RETRY_DELAYS.reduce((all, delay) => all + delay, 0)
  assert.ok(sum > 20 * HOUR && sum * 1.2 < 30 * HOUR, String(sum))
  assert.deepEqual(
    RETRY_DELAYS.toSorted((a, b) => a - b),
    RETRY_DELAYS,
  )
})

test('retryDelay() adds up to a fifth, waits as long as the receiver wants, and ends', () => {
  const delays = [1000, 60_000]
  const cases = [
    [{ attempts: 1, random: 0 }, 1000],
    [{ attempts: 1, random: 1 }, 1200],
    [{ attempts: 2, random: 0.5 }, 66_000],
    [{ attempts: 1, random: 0, retryAfter: 120 }, 120_000],
    [{ attempts: 2, random: 0, retryAfter: 2 }, 60_000],
    [{ attempts: 3, random: 0 }, undefined],
    [{ attempts: 3, random: 0, retryAfter: 5 }, undefined],
  ] as const
  for (const [attempt, delay] of cases) assert.equal(retryDelay(attempt, delays), delay)
})
