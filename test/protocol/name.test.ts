import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  canonicalName,
  indexPath,
  indexPrefix,
  isReservedName,
  isValidAlias,
  isValidName,
  namesCollide,
  validateName,
} from '../../src/protocol/name.ts'

const VALID = ['a', 'Z', 'serde', 'serde_json', 'tokio-util', 'a1', 'a-', 'A_b-C9', 'x'.repeat(64)]
const INVALID = [
  ...[
    '',
    '1a',
    '-a',
    '_a',
    'a.b',
    'a b',
    'a/b',
    '../a',
    'a\n',
    '\na',
    'é',
    'aé',
    '\u212a',
    'a\u0000',
    'x'.repeat(65),
  ],
]

test('isValidName() takes ASCII names of at most 64 characters that start with a letter', () => {
  for (const name of VALID) assert.equal(isValidName(name), true, name)
  for (const name of INVALID) assert.equal(isValidName(name), false, JSON.stringify(name))
})

test('isValidAlias() also takes a leading underscore', () => {
  for (const name of [...VALID, '_a', '_']) assert.equal(isValidAlias(name), true, name)
  for (const name of ['', '1a', '-a', 'a.b', '_é', '_\n', '_'.repeat(65)])
    assert.equal(isValidAlias(name), false)
})

test('validateName() names the rule that is broken', () => {
  assert.equal(validateName('serde'), 'serde')
  const rules: [name: string, detail: string][] = [
    ['', 'invalid crate name: must not be empty'],
    ['1a', 'invalid crate name `1a`: must start with an ASCII letter'],
    ['a.b', 'invalid crate name `a.b`: must contain only ASCII letters, digits, `-` and `_`'],
    ['x'.repeat(65), 'invalid crate name of 65 characters: must have at most 64'],
  ]
  for (const [name, message] of rules) {
    assert.throws(() => validateName(name), { code: 'invalid_name', status: 400, message })
  }
})

test('canonicalName() and namesCollide() fold case and `-`', () => {
  assert.equal(canonicalName('Foo-Bar_baz'), 'foo_bar_baz')
  assert.equal(namesCollide('Foo-Bar', 'foo_bar'), true)
  assert.equal(namesCollide('foobar', 'foo_bar'), false)
})

test('isReservedName() knows names of the compiler and of Windows in any spelling', () => {
  for (const name of ['std', 'CORE', 'proc-macro', 'proc_macro', 'nul', 'Con', 'com0', 'LPT9']) {
    assert.equal(isReservedName(name), true, name)
  }
  for (const name of ['serde', 'com10', 'lpt', 'stdx', 'constructor', 'toString']) {
    assert.equal(isReservedName(name), false, name)
  }
})

test('indexPath() follows the length of the lower-cased name', () => {
  const paths: [name: string, path: string][] = [
    ['a', '1/a'],
    ['aB', '2/ab'],
    ['Abc', '3/a/abc'],
    ['abcd', 'ab/cd/abcd'],
    ['MixedCase', 'mi/xe/mixedcase'],
    ['a-_b', 'a-/_b/a-_b'],
  ]
  for (const [name, path] of paths) assert.equal(indexPath(name), path)
})

test('indexPrefix() keeps the case of the name', () => {
  assert.deepEqual(['A', 'Ab', 'Abc', 'MixedCase'].map(indexPrefix), ['1', '2', '3/A', 'Mi/xe'])
})
