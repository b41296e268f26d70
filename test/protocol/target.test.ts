import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isValidTriple,
  MAX_TARGET_LENGTH,
  normalizeTarget,
  validateTarget,
} from '../../src/protocol/target.ts'

const NORMAL: readonly (readonly [string, string])[] = [
  ['x86_64-unknown-linux-gnu', 'x86_64-unknown-linux-gnu'],
  ['thumbv8m.main-none-eabi', 'thumbv8m.main-none-eabi'],
  ['cfg(unix)', 'cfg(unix)'],
  ['cfg( any( unix,windows, ) )', 'cfg(any(unix, windows))'],
  ['cfg(target_os="linux")', 'cfg(target_os = "linux")'],
  ['cfg(not(all()))', 'cfg(not(all()))'],
]

const INVALID = [
  '',
  'a b',
  'x86_64\n',
  'unix()',
  'cfg()',
  'cfg(unix',
  'cfg(unix))',
  'cfg(not())',
  'cfg(not(a, b))',
  'cfg(a = b)',
  'cfg(a = "b)',
  'cfg(a = "\n")',
  'cfg(a = "\u2028")',
  'cfg(a\t)',
  'cfg(a b)',
  'cfg(1a)',
  `cfg(${'not('.repeat(1000)}a${')'.repeat(1000)})`,
  'a'.repeat(MAX_TARGET_LENGTH + 1),
]

test('normalizeTarget() spells a platform as cargo does', () => {
  for (const [text, wanted] of NORMAL) {
    assert.equal(normalizeTarget(text), wanted)
    assert.equal(normalizeTarget(wanted), wanted)
  }
})

test('validateTarget() keeps the spelling of a valid target', () => {
  for (const [text] of NORMAL) assert.equal(validateTarget(text), text)
})

test('validateTarget() refuses what cargo would not parse', () => {
  for (const text of INVALID)
    assert.throws(() => validateTarget(text), { code: 'invalid_dependency' }, text.slice(0, 50))
})

test('isValidTriple() does not take an expression', () => {
  assert.equal(isValidTriple('wasm32-wasip1'), true)
  assert.equal(isValidTriple('cfg(unix)'), false)
})
