import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normalizeCfg } from '../../src/protocol/cfg.ts'

const NORMAL: readonly (readonly [string, string])[] = [
  [' unix ', 'unix'],
  ['all()', 'all()'],
  ['any(unix,windows , )', 'any(unix, windows)'],
  ['not(target_os="linux")', 'not(target_os = "linux")'],
  ['a = "(,=)"', 'a = "(,=)"'],
  ['true', 'true'],
  ['r#all', 'r#all'],
  [`${'not('.repeat(60)}a${')'.repeat(60)}`, `${'not('.repeat(60)}a${')'.repeat(60)}`],
]

const BAD: readonly (readonly [string, string])[] = [
  ['', 'expected a name, found the end'],
  ['all', 'expected `(`, found the end'],
  ['all = "x"', 'expected `(`, found `=`'],
  ['not()', 'expected a name, found `)`'],
  ['not(a,)', 'expected `)`, found `,`'],
  ['any(,a)', 'expected a name, found `,`'],
  ['any(a b)', 'expected `)`, found `b`'],
  ['any(a', 'expected `)`, found the end'],
  ['a, b', 'expected the end, found `,`'],
  ['a = b', 'expected a string, found `b`'],
  ['a =', 'expected a string, found the end'],
  ['"a"', 'expected a name, found `"a"`'],
  ['a = "b', 'expected a name, a closed string, `(`, `)`, `,` or `=`, found ` "b`'],
  ['r#1', 'expected a name, a closed string, `(`, `)`, `,` or `=`, found `#1`'],
  [`${'not('.repeat(70)}a${')'.repeat(70)}`, 'expected at most 64 levels of nesting, found `not`'],
]

// All but the depth was compared with cargo 1.95: it drops an index entry with a bad expression.
test('normalizeCfg() spells an expression as cargo does', () => {
  for (const [text, wanted] of NORMAL) assert.equal(normalizeCfg(text), wanted)
})

test('normalizeCfg() refuses what cargo cannot parse', () => {
  for (const [text, reason] of BAD) {
    const message = `invalid platform \`cfg(${text})\`: ${reason}`
    assert.throws(() => normalizeCfg(text), { code: 'invalid_dependency', message })
  }
})
