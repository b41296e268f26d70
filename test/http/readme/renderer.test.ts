import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Logger } from '../../../src/host.ts'
import { markupOf } from '../../../src/http/pages/html.ts'
import { createReadmeRenderer, MAX_README } from '../../../src/http/readme/renderer.ts'
import { bombs } from './bombs.ts'

function startRenderer(t: TestContext, limitMs?: number) {
  const warnings: string[] = []
  const silent = () => {}
  const warn: Logger['warn'] = (object) => void warnings.push(JSON.stringify(object))
  const renderer = createReadmeRenderer({ debug: silent, info: silent, error: silent, warn }, limitMs)
  t.after(() => renderer.close())
  return {
    warnings,
    render: async (text: string, base?: string) => markupOf(await renderer.render(text, base)),
    renderer,
  }
}

test('a README is rendered, once', async (t) => {
  const { renderer, render, warnings } = startRenderer(t)
  assert.equal(await render('# a'), '<h3>a</h3>\n')
  const [one, two] = await Promise.all([renderer.render('b', undefined), renderer.render('b', undefined)])
  assert.equal(one, two)
  assert.equal(await renderer.render('b', undefined), one)
  const links = await Promise.all(
    ['https://github.com/a/b/blob/HEAD/', undefined].map((base) => render('[a](b)', base)),
  )
  assert.notEqual(links[0], links[1])
  assert.deepEqual(warnings, [])
})

test('a README that is too long is cut at a line, with a note', async (t) => {
  const { render } = startRenderer(t, 20_000)
  const markup = await render('a line of text\n\n'.repeat(MAX_README / 15))
  assert.match(
    markup,
    /<p>a line of text<\/p>\n<p class="note">This is the beginning of a README that is longer\.<\/p>$/,
  )
})

test('a README that takes too long is shown as it is, and the next one is rendered', async (t) => {
  const { render, warnings } = startRenderer(t, 1)
  const { emphasis: worst = '' } = bombs(MAX_README - 10)
  const text = `<b>\n${worst}`
  const markup = await render(text)
  assert.equal(markup, `<pre class="plain" tabindex="0">&#60;b&#62;${text.slice(3)}</pre>`)
  assert.deepEqual(warnings, ['{"cause":"no answer within 1 ms"}'])
  // Kept for a while: who looks again does not pay again.
  assert.equal(await render(text), markup)
  assert.equal(warnings.length, 1)
  const patient = startRenderer(t, 20_000)
  assert.equal(await patient.render('# a'), '<h3>a</h3>\n')
})

test('a README that needs too much memory harms nobody', async (t) => {
  const { render, warnings } = startRenderer(t, 60_000)
  const big = `[a]: https://a.example/${'u'.repeat(1900)}\n\n${'[a] '.repeat(60_000)}`
  assert.match(await render(big), /^<pre class="plain"/)
  assert.equal(warnings.length, 1)
  assert.equal(await render('# a'), '<h3>a</h3>\n')
})

test('when too many wait, the rest is shown as it is', async (t) => {
  const { render, warnings } = startRenderer(t, 20_000)
  const pages = await Promise.all(Array.from({ length: 20 }, (_, i) => render(`# ${i}`)))
  assert.deepEqual(
    pages.map((markup) => markup.startsWith('<h3>')),
    Array.from({ length: 20 }, (_, i) => i < 16),
  )
  assert.equal(warnings.length, 4)
})

test('whatever is in a README, the event loop does not wait for it', async (t) => {
  const { render } = startRenderer(t, 150)
  await render('# the thread is there')
  for (const [what, text] of Object.entries(bombs(MAX_README))) {
    const before = process.threadCpuUsage()
    const markup = await render(text)
    const { user, system } = process.threadCpuUsage(before)
    assert.ok((user + system) / 1000 < 100, `${what}: ${(user + system) / 1000} ms`)
    t.diagnostic(
      `${what}: ${((user + system) / 1000).toFixed(1)} ms, ${markup.startsWith('<pre class') ? 'plain' : 'rendered'}`,
    )
  }
})
