import assert from 'node:assert/strict'
import { test } from 'node:test'
import { markupOf } from '../../../src/http/pages/html.ts'
import { prose } from '../../../src/http/pages/prose.ts'

test('prose() shows what is in backticks as code', () => {
  for (const [text, markup] of [
    ['crate `foo` is `<b>`', 'crate <code>foo</code> is <code>&#60;b&#62;</code>'],
    ['an odd ` one', 'an odd &#96; one'],
    ['`a` and ` b', '<code>a</code> and &#96; b'],
    ['', ''],
  ] as const)
    assert.equal(markupOf(prose(text)), markup)
})
