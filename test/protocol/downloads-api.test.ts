import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CrateView } from '../../src/protocol/crate-view.ts'
import {
  type Downloads,
  parseDay,
  renderDownloads,
  renderVersionDownloads,
} from '../../src/protocol/downloads-api.ts'
import { versionId } from '../../src/protocol/version-api.ts'

const NUMBERS = ['0.1.0', '0.2.0', '1.0.0', '1.1.0', '1.2.0', '2.0.0', '2.1.0']

const VIEW: CrateView = {
  name: 'foo',
  source: 'local',
  created: '2026-01-01T00:00:00Z',
  updated: '2026-01-01T00:00:00Z',
  owners: [],
  about: {},
  versions: NUMBERS.map((vers) => ({
    entry: { name: 'foo', vers, deps: [], cksum: '0'.repeat(64), features: {}, yanked: false },
    at: '2026-01-01T00:00:00Z',
    details: {},
  })),
}

/** Each version `n` downloads on the first day, where `n` is its place; on the second only the extremes. */
const DOWNLOADS: Downloads = {
  total: 100,
  recent: 36,
  versions: new Map(),
  days: [
    { day: '2026-01-30', versions: new Map(NUMBERS.map((number, place) => [number, place + 1])) },
    {
      day: '2026-01-31',
      versions: new Map([
        ['2.1.0', 5],
        ['0.1.0', 3],
        ['9.9.9-removed', 7],
      ]),
    },
    { day: '2026-02-01', versions: new Map([['2.1.0', 1]]) },
  ],
}

test('renderDownloads() tells those of the five highest versions by day, and the sum of all others', () => {
  const id = (number: string) => versionId(VIEW, number)
  assert.deepEqual(renderDownloads(VIEW, DOWNLOADS), {
    version_downloads: [
      { version: id('2.1.0'), downloads: 7, date: '2026-01-30' },
      { version: id('2.0.0'), downloads: 6, date: '2026-01-30' },
      { version: id('1.2.0'), downloads: 5, date: '2026-01-30' },
      { version: id('1.1.0'), downloads: 4, date: '2026-01-30' },
      { version: id('1.0.0'), downloads: 3, date: '2026-01-30' },
      { version: id('2.1.0'), downloads: 5, date: '2026-01-31' },
      { version: id('2.1.0'), downloads: 1, date: '2026-02-01' },
    ],
    meta: {
      extra_downloads: [
        { date: '2026-01-30', downloads: 3 },
        { date: '2026-01-31', downloads: 3 },
      ],
    },
  })
})

test('renderVersionDownloads() tells those of one version, up to a day', () => {
  const [version] = VIEW.versions.slice(-1)
  assert.ok(version)
  const days = (lastDay?: string) =>
    renderVersionDownloads(VIEW, version, DOWNLOADS, lastDay).version_downloads.map(({ date }) => date)
  assert.deepEqual(days(), ['2026-01-30', '2026-01-31', '2026-02-01'])
  assert.deepEqual(days('2026-01-31'), ['2026-01-30', '2026-01-31'])
  assert.deepEqual(days('2025-12-31'), [])
})

test('parseDay() wants a day of the calendar', () => {
  assert.equal(parseDay('2026-02-28'), '2026-02-28')
  for (const text of ['', '2026-02-30', '2026-2-3', '28.02.2026', 'yesterday'])
    assert.throws(() => parseDay(text), { code: 'invalid_request' }, text)
})
