import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkFeatures,
  type FeatureDep,
  isValidFeatureName,
  MAX_FEATURES,
} from '../../src/protocol/features.ts'

const DEPS: readonly FeatureDep[] = [
  { name: 'opt', optional: true },
  { name: '_alias', optional: true },
  { name: 'always', optional: false },
]

type Table = Record<string, string[]>

const GOOD: readonly Table[] = [
  {},
  { default: ['std'], std: [] },
  { a: ['opt'] },
  { a: ['dep:opt'] },
  { a: ['opt/x', 'opt?/x', 'always/x'] },
  { opt: ['dep:opt'] },
  { opt: ['opt/x'] },
  { _alias: ['dep:_alias'], a: ['_alias'] },
  Object.fromEntries([
    ['__proto__', []],
    ['constructor', ['__proto__']],
  ]),
]

const BAD: readonly (readonly [Table, RegExp])[] = [
  [{ a: ['b'] }, /feature `a` includes `b`: must be a feature or an optional dependency/],
  [{ a: ['toString'] }, /includes `toString`: must be a feature/],
  [{ a: [''] }, /includes ``/],
  [{ a: ['always'] }, /dependency `always` must be optional/],
  [{ a: ['dep:always'] }, /dependency `always` must be optional/],
  [{ a: ['always?/x'] }, /dependency `always` must be optional/],
  [{ a: ['dep:none'] }, /`none` must be a dependency/],
  [{ a: ['none/x'] }, /`none` must be a dependency/],
  [{ a: ['dep:opt/x'] }, /`dep:` must not be combined/],
  [{ a: ['opt/x/y'] }, /`x\/y` must be the name of a feature/],
  [{ a: ['opt/'] }, /`` must be the name of a feature/],
  [{ a: ['dep:opt'], b: ['opt'] }, /must be written `dep:opt`/],
  [{ opt: [] }, /feature `opt` has the name of an optional dependency/],
  [{ '-a': [] }, /invalid feature name `-a`/],
  [{ 'dep:opt': [] }, /invalid feature name `dep:opt`/],
  [{ a: Array<string>(MAX_FEATURES + 1).fill('a') }, /enables `5001` items: at most 5000/],
  [
    Object.fromEntries(Array.from({ length: MAX_FEATURES + 1 }, (_, n) => [`f${n}`, []])),
    /has `5001` features: at most 5000/,
  ],
]

test('checkFeatures() accepts what cargo accepts', () => {
  for (const table of GOOD) checkFeatures(table, DEPS)
})

test('checkFeatures() refuses what would make the index entry invalid', () => {
  for (const [table, message] of BAD) {
    assert.throws(() => checkFeatures(table, DEPS), { code: 'invalid_metadata', message }, String(message))
  }
})

test('checkFeatures() takes a dependency for optional when one of its entries is', () => {
  checkFeatures({ a: ['dep:x'] }, [
    { name: 'x', optional: true },
    { name: 'x', optional: false },
  ])
})

test('isValidFeatureName() follows the rule of cargo', () => {
  for (const name of ['a', '_', '7z', 'c++20', 'v1.2', 'a-b', 'größe'])
    assert.equal(isValidFeatureName(name), true, name)
  for (const name of ['', '+a', '.a', 'a b', 'a/b', 'a?', 'dep:a', 'a\n', '<b>', 'a'.repeat(256)]) {
    assert.equal(isValidFeatureName(name), false, name)
  }
})
