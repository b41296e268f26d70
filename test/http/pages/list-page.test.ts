import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type App, startApp } from '../../support/app.ts'
import { crateFile } from '../../support/crate-file.ts'
import { assertPage } from '../../support/page.ts'
import { startProxy } from '../upstream-app.ts'

const linksIn = (text: string, part: RegExp) => [...text.matchAll(part)].map(([, href = '']) => href)
const cratesIn = (text: string) => linksIn(text, /<h2><a href="([^"]+)"/g)

async function list(app: App, query = '', as?: string) {
  const answer = await app.request(`/-/${query}`, as === undefined ? {} : { as })
  assert.equal(answer.status, 200)
  return answer
}

test('the list shows name, newest version, description and a link of each crate', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile('foo').package({ description: 'For <all> & sundry' }))
  await app.publish(crateFile('foo', '1.1.0').package({ description: 'For <all> & sundry' }))
  await app.publish(crateFile('bar').package({ description: undefined }))
  const answer = await list(app)
  assertPage(answer, 'no-cache')
  assert.deepEqual(cratesIn(answer.text), ['/cargo/-/crates/bar', '/cargo/-/crates/foo'])
  assert.match(answer.text, /<p class="quiet">2 crates<\/p>/)
  assert.match(
    answer.text,
    /foo<\/a><\/h2><span class="version mono">1\.1\.0<\/span>\s*<p>For &#60;all&#62; &#38; sundry<\/p>/,
  )
  assert.match(answer.text, /No description/)
})

test('the list is searched with `q`, and says what it looked for', async (t) => {
  const app = await startApp(t)
  for (const name of ['acme-log', 'acme-core', 'other']) await app.publish(crateFile(name))
  const { text } = await list(app, '?q=+acme+log+')
  assert.deepEqual(cratesIn(text), ['/cargo/-/crates/acme-log'])
  assert.match(text, /<h1>Search for “acme log”<\/h1>/)
  assert.match(text, /name="q" value="acme log"/)
  const none = await list(app, '?q=nothing')
  assertPage(none, 'no-cache')
  assert.match(none.text, /No crate that you may read/)
})

test('the list is turned page by page', async (t) => {
  const app = await startApp(t)
  for (let i = 0; i < 55; i++) await app.publish(crateFile(`crate-${i}`))
  const turns = (text: string) => linksIn(text, /<a rel="\w+" href="([^"]+)"/g)
  const first = await list(app, '?q=crate')
  assert.deepEqual(turns(first.text), ['/cargo/-/?q=crate&#38;page=2'])
  assert.match(first.text, /1 to 25 of 55 crates/)
  const second = await list(app, '?page=2')
  assert.deepEqual(turns(second.text), ['/cargo/-/', '/cargo/-/?page=3'])
  assert.match(second.text, /<ol class="hits" start="26">/)
  const last = await list(app, '?page=3')
  assert.match(last.text, /51 to 55 of 55 crates/)
  assert.match(last.text, /Page 3 of 3/)
  assert.deepEqual(new Set([first, second, last].flatMap(({ text }) => cratesIn(text))).size, 55)
  assert.match((await list(app, '?page=4')).text, /There is nothing on page 4\. <a href="\/cargo\/-\/">/)
  const wrong = await app.request('/-/?page=x')
  assert.equal(wrong.status, 400)
  assertPage(wrong)
  assert.match(wrong.text, /Invalid page <code>x<\/code>: must be a number/)
})

test('an empty registry says how to publish', async (t) => {
  const answer = await list(await startApp(t))
  assertPage(answer, 'no-cache')
  assert.match(answer.text, /There are no crates yet/)
  for (const line of ['[registries.local]', 'cargo login --registry local', 'cargo publish --registry local'])
    assert.ok(answer.text.includes(line))
})

test('local crates come before those of an uplink', async (t) => {
  const { app } = await startProxy(t, { uplink: { crates: [crateFile('zebra-up')], api: true } })
  await app.publish(crateFile('zebra-a'))
  assert.deepEqual(cratesIn((await list(app, '?q=zebra')).text), [
    '/cargo/-/crates/zebra-a',
    '/cargo/-/crates/zebra-up',
  ])
})

test('the list shows and counts only what the caller may read', async (t) => {
  const app = await startApp(t, {
    options: {
      packages: {
        'secret-*': { access: ['rust-team'], publish: ['rust-team'] },
        '**': { access: ['$authenticated'], publish: ['$authenticated'] },
      },
    },
  })
  for (const name of ['secret-one', 'open-one']) await app.publish(crateFile(name))
  const others = await list(app, '', 'bob')
  assertPage(others, 'private, no-cache')
  assert.equal(others.headers.get('vary'), 'Authorization')
  assert.deepEqual(cratesIn(others.text), ['/cargo/-/crates/open-one'])
  assert.doesNotMatch(others.text, /secret/)
  assert.match(others.text, /1 crate</)
  assert.equal(cratesIn((await list(app, '', 'ann')).text).length, 2)
})

test('shorter addresses lead to the list', async (t) => {
  const app = await startApp(t)
  for (const path of ['/-', '/-/crates']) {
    const { status, headers } = await app.request(path)
    assert.deepEqual([status, headers.get('location')], [302, '/cargo/-/'])
  }
})

test('pages work where the mount is the root, and behind a proxy with a path of its own', async (t) => {
  for (const [app, path] of [
    [await startApp(t, { options: { mount: '' } }), ''],
    [await startApp(t, { host: { publicUrl: () => 'https://crates.example/sub/' } }), '/sub/cargo'],
  ] as const) {
    await app.publish(crateFile('foo'))
    const { text } = await list(app)
    assert.deepEqual(cratesIn(text), [`${path}/-/crates/foo`])
    assert.ok(text.includes(`<form role="search" action="${path}/-/">`))
    assert.ok(text.includes(`<a href="${path}/me">`))
    const crate = await app.request('/-/crates/foo')
    assertPage(crate, 'no-cache')
    assert.ok(crate.text.includes(`href="${path}/-/crates/foo/1.0.0"`))
  }
})
