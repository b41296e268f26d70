import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Figure } from './figures.ts'
import { randomKillFigures } from './kill-random.ts'
import { walkFigures } from './kill-walk.ts'
import { syncFailureFigures } from './sync-failure.ts'

// Short forms of what `npm run bar -- kill` measures, with the built server.

function mustBeMet(figures: readonly Figure[]): void {
  assert.deepEqual(
    figures.filter(({ met }) => !met),
    [],
    figures.map(({ name, value }) => `${name}: ${value}`).join('\n'),
  )
}

test('kill -9 at calls of a publish loses nothing and shows no half', { timeout: 170_000 }, async (t) => {
  mustBeMet(await walkFigures(t, { kinds: ['publish of another version'], points: 12 }))
})

test('kill -9 at any time among eight publishers loses nothing', { timeout: 170_000 }, async (t) => {
  mustBeMet(await randomKillFigures(t, { kills: 6, publishers: 8 }))
})

test('a disk that refuses to sync makes a publish fail, and no later one', {
  timeout: 170_000,
}, async (t) => {
  mustBeMet(await syncFailureFigures(t, { points: 6 }))
})
