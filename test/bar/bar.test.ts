import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bombFigures } from './bombs.ts'
import type { Figure } from './figures.ts'
import { idleFigures } from './idle.ts'
import { largePublishFigures } from './large-publish.ts'
import { leakFigures } from './leaks.ts'
import { memoryFigures } from './memory.ts'
import { publishesFigures } from './publishes.ts'
import { stormFigures } from './storm.ts'

// Short forms of what `npm run bar` measures; crowds and latencies are in test/http.

const MiB = 1024 * 1024

function mustBeMet(figures: readonly Figure[]): void {
  const missed = figures.filter(({ met }) => !met)
  assert.deepEqual(missed, [])
}

test('an uplink of whose answers every fifth is faulty makes nobody complete a wrong body', async (t) => {
  mustBeMet(await stormFigures(t, { requests: 4_000, maxFails: 0 }))
})

test('neither does one that is left alone while it fails', async (t) => {
  mustBeMet(await stormFigures(t, { requests: 2_000, maxFails: 2 }))
})

test('clients that leave, HEADs and failed fetches leave nothing open', async (t) => {
  mustBeMet(await leakFigures(t, { each: 200 }))
})

test('large crates stream through in bounded memory', async (t) => {
  mustBeMet(await memoryFigures(t, { streams: 6, bytes: 60 * MiB, slow: 2, slowMs: 2_000 }))
})

test('mutated publishes are refused or right, and leave nothing behind', async (t) => {
  mustBeMet(await publishesFigures(t, { bodies: 1_500 }))
})

test('a large publish streams through in bounded memory', async (t) => {
  mustBeMet(await largePublishFigures(t, { bytes: 100 * MiB }))
})

test('bombs are refused at once, and cost little', async (t) => {
  mustBeMet(await bombFigures(t, { bytes: 1_024 * MiB, entries: 50_000 }))
})

test('idle and slow connections are no harm to others, and are given back', async (t) => {
  const figures = await idleFigures(t, { connections: 1_000, reads: 1_000 })
  // So few reads take hardly longer than what the others do beside them: `npm run bar -- idle` compares.
  mustBeMet(figures.filter(({ name }) => !name.includes('times that without')))
})
