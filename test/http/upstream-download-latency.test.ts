import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latencyFigures } from '../bar/latency.ts'

/** The other tests want the machine too. */
const LENIENT = { rounds: 7, cases: 2, slack: 3 }
const TRIES = 3

test('a cold crate of 1 MiB begins as soon as the uplink does, a smaller one ends as soon', async (t) => {
  for (let tried = 1; ; tried++) {
    const figures = await latencyFigures(t, LENIENT)
    for (const { name, value } of figures) t.diagnostic(`${name}: ${value}`)
    const missed = figures.filter(({ met }) => !met)
    if (missed.length === 0) return
    if (tried === TRIES) assert.deepEqual(missed, [])
  }
})
