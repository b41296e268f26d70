import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  compareVersions,
  isPrerelease,
  isU64,
  isValidSemver,
  maxVersion,
  validateVersion,
  versionKey,
} from '../../src/protocol/version.ts'
import { workTime } from '../support/work-time.ts'

const VALID = [
  ...[
    '0.0.0',
    '1.2.3',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-0.3.7',
    '1.0.0-x-y-z.--',
    '1.0.0+001',
    '1.0.0-a+b.c',
  ],
  ...[
    '18446744073709551615.18446744073709551615.18446744073709551615',
    '9007199254740993.0.0',
    '1.0.0-0a',
    '1.0.0--',
  ],
  ...['1.0.0-9007199254740993', `1.0.0-${'9'.repeat(40)}`, `1.0.0-${'a'.repeat(144)}`],
]
const INVALID = [
  ...[
    '',
    '1',
    '1.0',
    '1.0.0.0',
    'v1.0.0',
    '=1.0.0',
    ' 1.0.0',
    '1.0.0 ',
    '1.0.0\n',
    '01.0.0',
    '1.00.0',
    '1.0.01',
  ],
  ...[
    '1.0.0-',
    '1.0.0+',
    '1.0.0-a..b',
    '1.0.0-01',
    '1.0.0-alpha.00',
    '1.0.0+a+b',
    '1.0.0-é',
    '1.0.0-a_b',
    '-1.0.0',
  ],
  ...[
    '18446744073709551616.0.0',
    '99999999999999999999.0.0',
    '1.0.x',
    '١.0.0',
    '1.0.0+a..b',
    '1.0.0-+b',
    '1,0,0',
  ],
  ...[`1.0.0-${'a'.repeat(145)}`, '1e3.0.0', '0x1.0.0'],
]

test('isValidSemver() takes what the semver crate takes', () => {
  for (const version of VALID) assert.equal(isValidSemver(version), true, version)
  for (const version of INVALID) assert.equal(isValidSemver(version), false, JSON.stringify(version))
})

test('validateVersion() names the value, unless it is too long', () => {
  assert.equal(validateVersion('1.2.3'), '1.2.3')
  assert.throws(() => validateVersion('v1'), {
    code: 'invalid_version',
    message: 'invalid version `v1`: must be a semantic version, `1.2.3`',
  })
  assert.throws(() => validateVersion('1'.repeat(151)), {
    message: 'invalid version of 151 characters: must have at most 150',
  })
})

test('isU64() stops at 2^64 - 1', () => {
  for (const digits of ['0', '9', '18446744073709551615']) assert.equal(isU64(digits), true)
  for (const digits of ['', '00', '01', '-1', '18446744073709551616', '1'.repeat(21)]) {
    assert.equal(isU64(digits), false)
  }
})

test('versionKey() drops build metadata only', () => {
  assert.equal(versionKey('1.0.0-a+b-c'), '1.0.0-a')
  assert.equal(versionKey('1.0.0'), '1.0.0')
})

test('isPrerelease() is not misled by a dash in build metadata', () => {
  assert.equal(isPrerelease('1.0.0-a'), true)
  assert.equal(isPrerelease('1.0.0+a-b'), false)
})

test('compareVersions() orders by precedence', () => {
  const ascending = [
    ...['0.9.9', '1.0.0-1', '1.0.0-2', '1.0.0-10', '1.0.0-9007199254740992', '1.0.0-9007199254740993'],
    ...[
      '1.0.0-A',
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
    ],
    ...[
      '1.0.0',
      '1.2.0',
      '1.2.9',
      '1.2.10',
      '1.9.10',
      '1.10.0',
      '1.10.9',
      '10.0.0',
      '9007199254740992.0.0',
      '9007199254740993.0.0',
      '18446744073709551615.0.0',
    ],
  ]
  for (const [i, a] of ascending.entries()) {
    for (const [j, b] of ascending.entries()) {
      assert.equal(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} ${b}`)
    }
  }
  assert.equal(compareVersions('1.0.0+a', '1.0.0+b'), 0)
  assert.equal(compareVersions('1.0.0+a', '1.0.0'), 0)
})

test('maxVersion() prefers releases', () => {
  assert.equal(maxVersion(['1.0.0', '2.0.0-a', '1.10.0', '1.9.0']), '1.10.0')
  assert.equal(maxVersion(['2.0.0-a', '1.0.0']), '1.0.0')
  assert.equal(maxVersion(['1.0.0-a', '1.0.0-b']), '1.0.0-b')
  assert.equal(maxVersion([]), undefined)
})

test('isValidSemver() and isU64() answer about a megabyte at once', () => {
  const worked = workTime()
  for (const part of ['1', '1.', '-', 'a.', ' ', '0']) {
    const text = part.repeat(2 ** 20 / part.length)
    assert.equal(isValidSemver(text), false)
    assert.equal(isValidSemver(`1.0.0-${text}`), false)
    assert.equal(isU64(text), false)
  }
  assert.ok(worked() < 50)
})
