import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { HostAuth } from '../../src/host.ts'
import { startProxy } from '../http/upstream-app.ts'
import { type App, startApp } from '../support/app.ts'
import { type OpenPage, startBrowser } from '../support/browser.ts'
import { crateFile } from '../support/crate-file.ts'
import { EVIL_URLS, PAYLOADS } from './payloads.ts'

/** Payloads of one page. */
const BATCH = 5

/** What would be a hole, in the elements that the browser made of a page. */
const HOLES = `(() => {
  const holes = []
  if (globalThis.pwned !== undefined) holes.push('a script ran')
  for (const it of document.querySelectorAll('*')) {
    if (/^(script|img|iframe|object|embed|video|audio|source|base|link|template|noscript|animate|math)$/.test(it.localName))
      holes.push(it.outerHTML)
    if (it.localName === 'meta' && it.httpEquiv) holes.push(it.outerHTML)
    if (it.localName === 'form' && it.action && new URL(it.action).origin !== location.origin) holes.push(it.outerHTML)
    for (const { name, value } of it.attributes) {
      if (/^(on|style$|src|srcdoc$|ping$|background$|formaction$)/.test(name)) holes.push(name + '=' + value)
      if (/^(href|xlink:href|action)$/.test(name) && !/^(https?:\\/\\/[^@]*$|mailto:|[/#](?![/\\\\]))/.test(value)) holes.push(name + '=' + value)
    }
  }
  if (document.querySelectorAll('h1').length !== 1 || document.querySelectorAll('main').length !== 1) holes.push('the frame is broken')
  if (document.querySelectorAll('style').length !== 1) holes.push('there is a foreign style')
  return holes
})()`

/** Opens pages with scripts allowed, so that a hole shows even where the policy would close it, and as they are. */
async function startVisits(t: TestContext, app: App) {
  const browser = await startBrowser(t)
  const visitors = await Promise.all([true, false].map((bypassCSP) => browser.open({ bypassCSP })))
  const { origin } = new URL(app.url)
  return async function visit(path: string, status = 200): Promise<void> {
    for (const { page, takeComplaints, takeRequests } of visitors) {
      const response = await page.goto(app.url + path)
      assert.equal(response?.status(), status, path)
      await touchAll(page)
      assert.deepEqual(await page.evaluate(HOLES), [], path)
      assert.deepEqual(
        takeRequests().filter((url) => new URL(url).origin !== origin || !url.startsWith(app.url)),
        [],
        path,
      )
      assert.deepEqual(
        takeComplaints().filter((text) => !text.includes(`status of ${status}`)),
        [],
        path,
      )
    }
  }
}

/** Does what sets off handlers: moves over everything, puts the focus on everything. */
async function touchAll(page: OpenPage['page']): Promise<void> {
  await page.evaluate(`document.querySelectorAll('main *').forEach((it) => {
    for (const type of ['mouseover', 'mouseenter', 'toggle', 'error', 'load', 'begin']) it.dispatchEvent(new Event(type))
    if (it.focus) it.focus()
  })`)
}

/** People are called what they like: the name is the token. */
const anyName: HostAuth = {
  authenticate: async (token) =>
    token === undefined ? undefined : { name: decodeURIComponent(token), groups: [] },
  authorize: async () => true,
}

test('whatever people write into a crate, its page does nothing with it but show it', {
  timeout: 120_000,
}, async (t) => {
  const app = await startApp(t, { host: { auth: anyName } })
  const visit = await startVisits(t, app)
  const payload = (i: number) => PAYLOADS[i % PAYLOADS.length] ?? ''
  const line = (i: number) => payload(i).replace(/[\n\u2028]/g, ' ')
  for (let i = 0; i < PAYLOADS.length; i += BATCH) {
    const name = `crate-${i}`
    const some = PAYLOADS.slice(i, i + BATCH)
    const [homepage, repository, documentation] = [0, 1, 2].map(
      (one) => EVIL_URLS[(i + one) % EVIL_URLS.length],
    )
    const crate = crateFile(name)
      .package({
        ...{ homepage, repository, documentation, readme: 'README.md' },
        description: payload(i),
        license: line(i + 8),
        'license-file': line(i + 1),
        keywords: [line(i + 2), line(i + 3)],
        categories: [line(i + 4), line(i + 5)],
        authors: [line(i + 6)],
        links: line(i + 7),
      })
      .add(`${name}-1.0.0/README.md`, some.map((one) => `# ${one}\n\n${one}\n\n- ${one}\n\n`).join(''))
    const { status, text } = await app.publish(crate, encodeURIComponent(line(i)))
    assert.equal(status, 200, text)
    await visit(`/-/crates/${name}`)
  }
  await visit('/-/')
})

test('whatever an uplink writes into its index, the page does nothing with it but show it', async (t) => {
  const { app, uplink } = await startProxy(t, { uplink: { crates: [crateFile('foo')] } })
  const visit = await startVisits(t, app)
  for (let i = 0; i < PAYLOADS.length; i += BATCH) {
    const [first = '', ...others] = PAYLOADS.slice(i, i + BATCH)
    const dep = { kind: 'normal', optional: true, default_features: true, features: others }
    uplink.edit('foo', '1.0.0', (line) =>
      JSON.stringify({
        ...JSON.parse(line),
        features: Object.fromEntries(others.map((name) => [name, [name]])),
        links: first,
        deps: [{ ...dep, name: 'a', req: first, target: first, registry: null }],
      }),
    )
    const { text } = await app.request('/-/crates/foo')
    assert.doesNotMatch(text, /not taken over/)
    await visit('/-/crates/foo')
  }
})

test('whatever is asked for, the answer does nothing with it but show it', {
  timeout: 120_000,
}, async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  const visit = await startVisits(t, app)
  for (let i = 0; i < PAYLOADS.length; i += BATCH) {
    await visit(`/-/?q=${encodeURIComponent(PAYLOADS.slice(i, i + BATCH).join(' '))}`)
    const text = encodeURIComponent(PAYLOADS[i] ?? '')
    await visit(`/-/?page=${text}`, 400)
    await visit(`/-/crates/foo/${text}`, 400)
    await visit(`/-/crates/${text}`, 400)
    await visit(`/-/crates/foo?version=${text}`, 400)
  }
})
