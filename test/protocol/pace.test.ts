import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admit, type Pace } from '../../src/protocol/pace.ts'

/** What is said to each who comes at these times: milliseconds to wait, 0 for those who may come. */
function waits(pace: Pace, times: readonly number[]): number[] {
  let due: number | undefined
  return times.map((now) => {
    const admission = admit(pace, due, now)
    if (!admission.admitted) return admission.waitMs
    due = admission.due
    return 0
  })
}

const MINUTE = 60_000

test('admit() lets a burst in, then one at a time', () => {
  const pace = { count: 60, perMs: MINUTE, burst: 3 }
  assert.deepEqual(waits(pace, [0, 0, 0, 0, 0, 999, 1000, 1000, 2000]), [0, 0, 0, 1000, 1000, 1, 0, 1000, 0])
})

test('admit() gives the whole burst again after a rest, and no more', () => {
  const pace = { count: 60, perMs: MINUTE, burst: 2 }
  assert.deepEqual(waits(pace, [0, 0, 9e6, 9e6, 9e6]), [0, 0, 0, 0, 1000])
})

test('admit() with a burst of one keeps an even pace', () => {
  assert.deepEqual(waits({ count: 1, perMs: 100, burst: 1 }, [0, 50, 100, 150, 250]), [0, 50, 0, 50, 0])
})

test('admit() lets in as many as the pace says, however long they keep coming', () => {
  const times = Array.from({ length: 10_000 }, (_, n) => n * 10)
  const admitted = waits({ count: 10, perMs: 1000, burst: 5 }, times).filter((wait) => wait === 0).length
  assert.equal(admitted, 1000 + 4)
})
