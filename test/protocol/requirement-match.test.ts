import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchesRequirement, requirementTest } from '../../src/protocol/requirement-match.ts'
import { workTime } from '../support/work-time.ts'

/** Cases of https://github.com/dtolnay/semver/blob/master/tests/test_version_req.rs, and its like for each operator. */
const CASES: readonly (readonly [req: string, accepted: string, refused: string])[] = [
  ['*', '0.0.0 0.9.1 2.9.0 0.0.9 1.0.1 18446744073709551615.0.0 1.0.0+b', '1.0.0-rc.1 0.0.0-a'],
  // exact
  ['=1', '1.0.0 1.9.9', '0.9.9 2.0.0 1.0.0-a 1.2.3-a'],
  ['=1.2', '1.2.0 1.2.9', '1.1.9 1.3.0 1.2.0-a'],
  ['=1.2.3', '1.2.3 1.2.3+b 1.2.3+b.2', '1.2.2 1.2.4 1.2.3-a'],
  ['=1.2.3+b', '1.2.3 1.2.3+c', '1.2.4'],
  ['=1.2.3-a.1', '1.2.3-a.1 1.2.3-a.1+b', '1.2.3 1.2.3-a 1.2.3-a.2'],
  ['=9007199254740993.0.0', '9007199254740993.0.0', '9007199254740992.0.0 9007199254740994.0.0'],
  // wildcard
  ['1.*', '1.0.0 1.9.9', '0.9.9 2.0.0 1.0.0-a'],
  ['1.x.X', '1.2.3', '2.0.0'],
  ['0.0.*', '0.0.0 0.0.9', '0.1.0'],
  ['1.2.*', '1.2.0 1.2.30', '1.1.9 1.3.0 1.2.0-a'],
  // greater
  ['>1', '2.0.0 18446744073709551615.0.0', '1.0.0 1.9.9 0.1.0 2.0.0-a'],
  ['>1.2', '1.3.0 2.0.0', '1.2.0 1.2.9 1.1.0 1.3.0-a'],
  ['>1.2.3', '1.2.4 1.3.0 2.0.0', '1.2.3 1.2.3+b 1.2.2 1.2.4-a'],
  ['>1.2.3-a', '1.2.3-b 1.2.3 1.2.4', '1.2.3-a 1.2.3-9 1.2.4-a'],
  ['>=1', '1.0.0 1.9.9 2.0.0', '0.9.9 1.0.0-a 2.0.0-a'],
  ['>=1.2', '1.2.0 1.2.9 2.0.0', '1.1.9 1.2.0-a'],
  ['>=1.2.3', '1.2.3 1.2.4 2.0.0', '1.2.2 1.2.3-a'],
  ['>=1.2.3-a.2', '1.2.3-a.2 1.2.3-a.10 1.2.3-b 1.2.3 1.2.4', '1.2.3-a.1 1.2.3-a 1.2.4-a 2.0.0-a'],
  ['>=1.*', '1.0.0 2.0.0', '0.9.9'],
  // less
  ['<1', '0.0.0 0.9.9', '1.0.0 1.0.0-a 0.9.0-a'],
  ['<1.2', '1.1.9 0.9.9', '1.2.0 1.3.0 2.0.0'],
  ['<1.2.3', '1.2.2 0.9.9', '1.2.3 1.2.4 1.2.3-a'],
  ['<1.2.3-b', '1.2.3-a 1.2.3-1 1.2.2', '1.2.3-b 1.2.3 1.2.2-a'],
  ['<=1', '1.0.0 1.9.9 0.1.0', '2.0.0 1.0.0-a'],
  ['<=1.2', '1.2.0 1.2.9 0.1.0', '1.3.0 2.0.0 1.2.0-a'],
  ['<=1.2.3', '1.2.3 1.2.3+b 1.2.2', '1.2.4 1.2.3-a'],
  ['<=1.2.3-b', '1.2.3-b 1.2.3-a 1.2.2', '1.2.3 1.2.3-c'],
  // tilde
  ['~1', '1.0.0 1.9.9', '0.9.9 2.0.0 1.0.0-a'],
  ['~1.2', '1.2.0 1.2.9', '1.1.9 1.3.0 1.2.0-a'],
  ['~1.2.3', '1.2.3 1.2.9', '1.2.2 1.3.0 1.2.3-a 1.2.4-a'],
  ['~1.2.3-b', '1.2.3-b 1.2.3-b.1 1.2.3 1.2.9', '1.2.3-a 1.2.4-a 1.3.0'],
  ['~0', '0.0.0 0.9.9', '1.0.0'],
  ['~1.*', '1.9.9', '2.0.0'],
  // caret
  ['1', '1.0.0 1.9.9', '0.9.9 2.0.0 1.0.0-a 2.0.0-a'],
  ['^1.2', '1.2.0 1.9.9', '1.1.9 2.0.0'],
  ['1.2.3', '1.2.3 1.2.4 1.10.0 1.2.3+b', '1.2.2 1.1.9 2.0.0 1.2.3-a 1.3.0-a'],
  ['0', '0.0.0 0.9.9', '1.0.0'],
  ['0.0', '0.0.0 0.0.9', '0.1.0 1.0.0'],
  ['^0.2', '0.2.0 0.2.9', '0.1.9 0.3.0 1.2.0'],
  ['0.2.3', '0.2.3 0.2.9', '0.2.2 0.3.0 1.2.3'],
  ['^0.0.3', '0.0.3 0.0.3+b', '0.0.2 0.0.4 0.1.3 0.0.3-a'],
  ['0.0.0', '0.0.0', '0.0.1 0.1.0'],
  ['^1.2.3-b', '1.2.3-b 1.2.3-c 1.2.3 1.9.9', '1.2.3-a 1.2.4-a 2.0.0 2.0.0-a'],
  ['0.2.3-b', '0.2.3-b 0.2.3 0.2.4', '0.2.3-a 0.2.4-b 0.3.0'],
  ['^0.0.3-b', '0.0.3-b 0.0.3-c 0.0.3', '0.0.3-a 0.0.4'],
  ['10', '10.0.0', '1.0.0 9.9.9 100.0.0'],
  // several
  ['>=1.0, <2', '1.0.0 1.9.9', '0.9.9 2.0.0 1.5.0-a'],
  ['>1.0.0, <1.0.2', '1.0.1', '1.0.0 1.0.2'],
  ['>=1.2.3-a, <1.2.3', '1.2.3-a 1.2.3-b', '1.2.3 1.2.2'],
  // a caret that leaves numbers open says nothing of pre-releases, the other operators do
  ['^1, >=1.2.3-a', '1.2.3-a 1.2.3', '1.2.4-a'],
  ['~1, >=1.2.3-a', '1.2.3', '1.2.3-a'],
  ['>=1, >=1.2.3-a', '1.2.3', '1.2.3-a'],
  ['<2, >1', '', '1.0.0 1.5.0 2.0.0'],
  // what cargo cannot read
  ['latest', '', '1.0.0'],
  ['', '', '1.0.0'],
  ['>=1.0 <2', '', '1.0.0'],
  ['>=0', '0.0.0', '1.0 v1.0.0 01.0.0 1.0.0-alpha.01 18446744073709551616.0.0 latest 1.0.0\n'],
]

test('matchesRequirement() accepts the versions that Rust accepts', () => {
  for (const [req, accepted, refused] of CASES) {
    for (const vers of words(accepted)) assert.equal(matchesRequirement(req, vers), true, `${req} ${vers}`)
    for (const vers of words(refused)) assert.equal(matchesRequirement(req, vers), false, `${req} ${vers}`)
  }
})

test('matchesRequirement() is exact up to 2^64 - 1', () => {
  const [top, below] = ['18446744073709551615', '18446744073709551614']
  for (const [req, vers, expected] of [
    [`>${below}`, `${top}.0.0`, true],
    [`>=${top}.0.0`, `${below}.0.0`, false],
    [`<0.0.${top}`, `0.0.${below}`, true],
    [`^1.${below}`, `1.${top}.0`, true],
    [`~1.2.${top}`, `1.2.${below}`, false],
    ['>9.0.0', '10.0.0', true],
    ['>=1.0.0-9007199254740993', '1.0.0-9007199254740992', false],
  ] as const) {
    assert.equal(matchesRequirement(req, vers), expected, `${req} ${vers}`)
  }
})

test('requirementTest() is undefined for what is no requirement', () => {
  assert.equal(requirementTest('latest'), undefined)
  assert.equal(requirementTest('^1')?.('1.0.0'), true)
})

test('matchesRequirement() answers about hostile text at once', () => {
  const worked = workTime()
  for (const part of ['1', '1.', '-', '1,', ' ', '>', '+']) {
    const text = part.repeat(2 ** 20 / part.length)
    assert.equal(matchesRequirement('>=0', `1.0.0${text}`), false)
    assert.equal(matchesRequirement(`>=0${text}`, '1.0.0'), part === ' ')
  }
  assert.ok(worked() < 200)
})

function words(text: string): string[] {
  return text === '' ? [] : text.split(' ')
}
