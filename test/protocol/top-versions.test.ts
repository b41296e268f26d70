import assert from 'node:assert/strict'
import test from 'node:test'
import { type RankedVersion, spanOf, topOf } from '../../src/protocol/top-versions.ts'

/** `1.0.0` or, yanked, `-1.0.0`; each a second after the one before. */
function versions(...texts: readonly string[]): readonly RankedVersion[] {
  return texts.map((text, second) => ({
    entry: { vers: text.replace(/^-/, ''), yanked: text.startsWith('-') },
    at: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString().replace('.000', ''),
  }))
}

test('topOf() finds the versions that stand for a crate', () => {
  const cases: readonly (readonly [readonly string[], readonly [string, string, string, boolean]])[] = [
    [['1.0.0'], ['1.0.0', '1.0.0', '1.0.0', false]],
    [
      ['1.10.0', '2.0.0-rc.1', '1.9.0'],
      ['1.10.0', '2.0.0-rc.1', '1.9.0', false],
    ],
    [
      ['2.0.0-rc.1', '1.0.0', '1.0.1-a'],
      ['1.0.0', '2.0.0-rc.1', '1.0.1-a', false],
    ],
    [
      ['2.0.0-rc.1', '2.0.0', '2.0.0-rc.2'],
      ['2.0.0', '2.0.0', '2.0.0-rc.2', false],
    ],
    [
      ['1.0.0-a', '1.0.0-b', '1.0.0-a.1'],
      ['1.0.0-b', '1.0.0-b', '1.0.0-a.1', false],
    ],
    [
      ['1.0.0', '-2.0.0', '-3.0.0-a'],
      ['1.0.0', '1.0.0', '1.0.0', false],
    ],
    [
      ['-2.0.0', '-3.0.0', '0.1.0-a'],
      ['0.1.0-a', '0.1.0-a', '0.1.0-a', false],
    ],
    [
      ['-1.0.0', '-3.0.0-a', '-2.0.0', '-1.1.0'],
      ['2.0.0', '2.0.0', '2.0.0', true],
    ],
  ]
  for (const [texts, wanted] of cases) {
    const top = topOf(versions(...texts))
    const found = [top?.shown, top?.highest, top?.newest].map((one) => one?.entry.vers)
    assert.deepEqual([...found, top?.yanked], wanted, texts.join())
  }
  assert.equal(topOf([]), undefined)
})

test('topOf() compares times however they are spelled, and takes the later line at the same time', () => {
  const at = (...times: readonly string[]) =>
    times.map((time, patch) => ({ entry: { vers: `1.0.${patch}`, yanked: false }, at: time }))
  const newest = (...times: readonly string[]) => topOf(at(...times))?.newest.entry.vers
  assert.equal(newest('2026-01-01T00:00:02Z', '2026-01-01T00:00:01Z'), '1.0.0')
  assert.equal(newest('2026-01-01T00:00:01Z', '2026-01-01T00:00:01Z'), '1.0.1')
  assert.equal(newest('2026-01-01T00:00:02.500Z', '2026-01-01T01:00:01+01:00'), '1.0.0')
})

test('spanOf() finds the first and the last time, however they are spelled', () => {
  assert.deepEqual(spanOf([]), [])
  assert.deepEqual(spanOf(['2026-01-01T00:00:00Z']), ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'])
  const times = [
    '2026-01-02T00:00:00Z',
    '2026-01-01T00:00:00.500Z',
    '2026-01-01T00:00:00Z',
    '2026-01-02T01:00:00+02:00',
  ]
  assert.deepEqual(spanOf(times), ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'])
  assert.deepEqual(spanOf(['2026-01-01T01:00:00+01:00', '2026-01-01T00:00:00Z']), [
    '2026-01-01T01:00:00+01:00',
    '2026-01-01T00:00:00Z',
  ])
})
