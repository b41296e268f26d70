import assert from 'node:assert/strict'
import test from 'node:test'
import { crateMatcher } from '../src/name-glob.ts'

test('crateMatcher() folds case, `-` and `_`, but not ranges', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['acme-*', ['acme-log', 'ACME_log', 'acme_'], ['acme', 'xacme-log', 'acmelog']],
    ['Acme_Log', ['acme-log', 'acme_log'], ['acme-logs']],
    ['**', ['a', 'a-b'], []],
    ['x[a-c]-?', ['xa-1', 'xB_2'], ['x--1', 'xd-1']],
    ['x[!a-c]', ['xd', 'x-'], ['xa', 'xB']],
    ['{acme,ops}-*', ['ops_x'], ['opsx']],
    ['!acme', [], ['other', 'acme']],
  ]
  for (const [glob, yes, no] of cases) {
    const matches = crateMatcher([glob])
    for (const name of yes) assert.equal(matches(name), true, `${glob} ${name}`)
    for (const name of no) assert.equal(matches(name), false, `${glob} ${name}`)
  }
})

test('crateMatcher() matches nothing without globs and refuses an empty one', () => {
  assert.equal(crateMatcher([])('a'), false)
  assert.throws(() => crateMatcher(['a', '']), /must not be empty/)
})
