import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differenceOf } from '../../src/protocol/index-difference.ts'
import type { IndexEntry } from '../../src/protocol/index-entry.ts'

const entry = (vers: string, more: Partial<IndexEntry> = {}): IndexEntry => ({
  ...{ name: 'a', vers, deps: [], cksum: vers, features: {}, yanked: false },
  ...more,
})

test('differenceOf() sorts versions by what became of them', () => {
  const before = [
    entry('1.0.0'),
    entry('1.0.1'),
    entry('1.0.2'),
    entry('1.0.3', { yanked: true }),
    entry('1.0.4'),
    entry('1.0.5'),
  ]
  const after = [
    entry('1.0.0'),
    entry('1.0.2', { yanked: true }),
    entry('1.0.3'),
    entry('1.0.4', { cksum: 'x', yanked: true }),
    entry('1.0.5', { features: { default: [] } }),
    entry('1.0.6'),
  ]
  assert.deepEqual(differenceOf(before, after), {
    appeared: ['1.0.6'],
    vanished: ['1.0.1'],
    changed: [{ vers: '1.0.4', was: '1.0.4', is: 'x' }],
    yanked: ['1.0.2', '1.0.4'],
    unyanked: ['1.0.3'],
    edited: ['1.0.5'],
  })
})

test('differenceOf() finds none in the same versions in another order', () => {
  const none = { appeared: [], vanished: [], changed: [], yanked: [], unyanked: [], edited: [] }
  assert.deepEqual(differenceOf([entry('1.0.0'), entry('2.0.0')], [entry('2.0.0'), entry('1.0.0')]), none)
})
