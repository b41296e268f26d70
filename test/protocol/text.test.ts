import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPlainText, isProse, quote } from '../../src/protocol/text.ts'

test('isPlainText() and isProse() tell what may be stored', () => {
  for (const [text, plain, prose] of [
    ['', true, true],
    ['größe 🦀', true, true],
    ['a\nb', false, true],
    ['\u2028', false, true],
    ['\x7f', false, true],
    ['\0', false, false],
    ['\ud800', false, false],
  ] as const) {
    assert.equal(isPlainText(text), plain, JSON.stringify(text))
    assert.equal(isProse(text), prose, JSON.stringify(text))
  }
})

test('quote() keeps an error on one line and short', () => {
  assert.equal(quote('a\nb\ud800'), '`a\uFFFDb\uFFFD`')
  assert.equal(quote('a'.repeat(1_000_000)), `\`${'a'.repeat(100)}…\``)
})
