import assert from 'node:assert/strict'
import { test } from 'node:test'
import { html, markupOf, trusted } from '../../../src/http/pages/html.ts'

test('html`` escapes text, and takes markup of its own as it is', () => {
  const name = `<b a="1" c='2'>&\``
  const escaped = '&#60;b a=&#34;1&#34; c=&#39;2&#39;&#62;&#38;&#96;'
  assert.equal(markupOf(html`<i title="${name}">${name}</i>`), `<i title="${escaped}">${escaped}</i>`)
  assert.equal(markupOf(html`${html`<b>${1}</b>`}${trusted('<hr>')}`), '<b>1</b><hr>')
})

test('html`` joins lists and leaves out what is absent', () => {
  assert.equal(
    markupOf(html`${['<', html`<br>`, [undefined, 0]]}|${undefined}|${false}|${''}`),
    '&#60;<br>0|||',
  )
})

test('what only looks like markup is no markup', () => {
  const parsed = JSON.parse('{"Symbol(markup)":"<script>","markup":"<script>"}')
  assert.doesNotMatch(markupOf(html`${parsed}`), /script/)
})
