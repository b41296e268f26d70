import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type CrateView,
  defaultVersion,
  highestFirst,
  latestFirst,
  topVersions,
  versionOf,
} from '../../src/protocol/crate-view.ts'

/** A crate of these versions, a second after each other; `!` means yanked. */
function viewOf(...numbers: readonly string[]): CrateView {
  const versions = numbers.map((number, second) => ({
    entry: {
      name: 'foo',
      vers: number.replace('!', ''),
      deps: [],
      cksum: '0'.repeat(64),
      features: {},
      yanked: number.endsWith('!'),
    },
    at: `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`,
    details: {},
  }))
  const times = { created: '2026-01-01T00:00:00Z', updated: '2026-01-01T00:00:00Z' }
  return { name: 'foo', source: 'local', ...times, owners: [], about: {}, versions }
}

const numbers = (versions: CrateView['versions']) => versions.map(({ entry }) => entry.vers)

test('highestFirst() and latestFirst() order the versions', () => {
  const view = viewOf('1.10.0', '1.9.0', '2.0.0-rc.1', '1.10.1!')
  assert.deepEqual(numbers(highestFirst(view)), ['2.0.0-rc.1', '1.10.1', '1.10.0', '1.9.0'])
  assert.deepEqual(numbers(latestFirst(view)), ['1.10.1', '2.0.0-rc.1', '1.9.0', '1.10.0'])
  assert.deepEqual(numbers(view.versions), ['1.10.0', '1.9.0', '2.0.0-rc.1', '1.10.1'])
})

test('latestFirst() takes the later of two lines of one second first', () => {
  const { versions, ...rest } = viewOf('1.0.0', '1.1.0')
  const at = '2026-01-01T00:00:00Z'
  const view = { ...rest, versions: versions.map((version) => ({ ...version, at })) }
  assert.deepEqual(numbers(latestFirst(view)), ['1.1.0', '1.0.0'])
})

test('defaultVersion() is the highest that is neither yanked nor a pre-release, else the next best', () => {
  for (const [versions, wanted] of [
    [['1.0.0', '1.1.0', '2.0.0!', '3.0.0-rc.1'], '1.1.0'],
    [['1.0.0!', '2.0.0-rc.1', '2.0.0-rc.2'], '2.0.0-rc.2'],
    [['1.0.0!', '2.0.0!', '3.0.0-rc.1!'], '2.0.0'],
    [['0.1.0-a!'], '0.1.0-a'],
  ] as const) {
    assert.equal(defaultVersion(viewOf(...versions).versions).entry.vers, wanted)
  }
})

test('topVersions() finds the versions that stand for the crate', () => {
  const view = viewOf('2.0.0-rc.1', '1.1.0', '1.0.0', '9.0.0!')
  const { shown, highest, newest } = topVersions(view)
  assert.deepEqual(numbers([shown, highest, newest]), ['1.1.0', '2.0.0-rc.1', '1.0.0'])
  assert.equal(defaultVersion(view.versions), shown)
  assert.equal(topVersions(view), topVersions(view))
})

test('versionOf() wants the number as it is', () => {
  const view = viewOf('1.0.0+b')
  assert.equal(versionOf(view, '1.0.0+b')?.entry.vers, '1.0.0+b')
  assert.equal(versionOf(view, '1.0.0'), undefined)
})
