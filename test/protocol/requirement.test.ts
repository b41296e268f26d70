import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isValidRequirement,
  normalizeRequirement,
  validateRequirement,
} from '../../src/protocol/requirement.ts'
import { workTime } from '../support/work-time.ts'

const NORMAL: readonly (readonly [requirement: string, normal: string])[] = [
  ['1', '^1'],
  ['1.2', '^1.2'],
  ['1.2.3', '^1.2.3'],
  ['^0.2', '^0.2'],
  ['~1.2.3', '~1.2.3'],
  ['= 1.0.0', '=1.0.0'],
  ['>=1.0,<2', '>=1.0, <2'],
  ['  >=  1.0 ,   <2  ', '>=1.0, <2'],
  ['*', '*'],
  [' x ', '*'],
  ['X', '*'],
  ['1.*', '1.*'],
  ['1.x', '1.*'],
  ['1.*.*', '1.*'],
  ['1.2.*', '1.2.*'],
  ['1.2.X', '1.2.*'],
  ['>=1.*', '>=1'],
  ['~1.2.*', '~1.2'],
  ['1.0.0-alpha.1', '^1.0.0-alpha.1'],
  ['=1.0.0-a+b', '=1.0.0-a'],
  ['>= 111.9.0+1.1.1g', '>=111.9.0'],
  ['1.2.3--', '^1.2.3--'],
  ['18446744073709551615', '^18446744073709551615'],
  [Array(32).fill('>0').join(','), Array(32).fill('>0').join(', ')],
]

const INVALID = [
  ...[
    '',
    ' ',
    ',',
    '1,',
    ',1',
    '1,,2',
    '1 2',
    '1.2.3.4',
    '01',
    '1.02',
    'v1',
    '=',
    '>',
    '==1',
    '=>1',
    '!1',
    '1 - 2',
  ],
  ...[
    '*, 1',
    '1, *',
    '**',
    '*.1',
    '1.*.3',
    '^*',
    '>=*',
    '1.',
    '.1',
    '1..2',
    '1.2-a',
    '1-a',
    '1.*-a',
    '1.2.3-',
    '1.2.3+',
  ],
  ...[
    '1.2.3-01',
    '1.2.3-a..b',
    '\t1',
    '1\n',
    '> =1',
    '1 || 2',
    '18446744073709551616',
    '^0.51-oldsyn',
    '~2.0-2.2',
  ],
  ...['^0-.11.0', '>=1.0 <2', 'latest', 'é', Array(33).fill('>0').join(',')],
]

test('normalizeRequirement() gives the form cargo sends, and keeps it', () => {
  for (const [requirement, normal] of NORMAL) {
    assert.equal(normalizeRequirement(requirement), normal, requirement)
    assert.equal(normalizeRequirement(normal), normal)
  }
})

test('isValidRequirement() takes what VersionReq takes', () => {
  for (const [requirement] of NORMAL) assert.equal(isValidRequirement(requirement), true, requirement)
  for (const requirement of INVALID)
    assert.equal(isValidRequirement(requirement), false, JSON.stringify(requirement))
})

test('validateRequirement() and normalizeRequirement() name the value, the start of a long one', () => {
  assert.equal(validateRequirement('1 '), '1 ')
  const expected = { code: 'invalid_requirement', message: /^invalid version requirement `latest`: must be / }
  assert.throws(() => validateRequirement('latest'), expected)
  assert.throws(() => normalizeRequirement('latest'), expected)
  assert.throws(
    () => validateRequirement('x'.repeat(2 ** 20)),
    (error: Error) => error.message.length < 300,
  )
})

test('isValidRequirement() answers about hostile text at once', () => {
  const worked = workTime()
  for (const part of [' ', '1', '1.', '> ', ',', '1,', '-', '*']) {
    for (const size of [2 ** 20, 2047]) {
      const text = part.repeat(Math.floor(size / part.length))
      isValidRequirement(`${text}!`)
      isValidRequirement(`>${text}`)
      isValidRequirement(`1.0.0-${text}!`)
    }
  }
  // 48 texts, 24 of them of a megabyte
  assert.ok(worked() < 500)
})
