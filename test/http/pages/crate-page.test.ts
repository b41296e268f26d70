import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApp } from '../../support/app.ts'
import { crateFile } from '../../support/crate-file.ts'
import { assertPage } from '../../support/page.ts'
import { startProxy } from '../upstream-app.ts'

const page = '/-/crates/foo'
/** The part of a page between the heading of a section and the next section. */
const section = (text: string, id: string) =>
  text.split(`<section aria-labelledby="${id}">`)[1]?.split('</section>')[0] ?? ''

test('the page of a crate says all about its newest version', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile('foo', '0.9.0'))
  const crate = crateFile('foo', '1.2.0').package({
    description: 'Does foo',
    homepage: 'https://foo.example/',
    repository: 'https://git.example/foo',
    documentation: 'javascript:alert(1)',
    keywords: ['one', 'two'],
    categories: ['games'],
    authors: ['Ann <ann@foo.example>'],
    'rust-version': '1.70',
  })
  assert.equal((await app.publish(crate)).status, 200)
  const answer = await app.request(page)
  assert.equal(answer.status, 200)
  assertPage(answer, 'no-cache')
  const { text } = answer
  assert.match(text, /<title>foo 1\.2\.0 · Cargo registry<\/title>/)
  assert.match(text, /<h1>foo <span class="version">1\.2\.0<\/span><\/h1>/)
  assert.match(text, /<p class="lead">Does foo<\/p>/)
  assert.match(text, /<dt>License<\/dt><dd>MIT<\/dd>/)
  assert.match(text, /<dt>Rust<\/dt><dd>1\.70<\/dd>/)
  assert.match(
    text,
    /<a href="https:\/\/foo\.example\/" rel="nofollow noopener noreferrer">foo\.example<\/a>/,
  )
  assert.match(
    text,
    /<a href="https:\/\/git\.example\/foo" rel="nofollow noopener noreferrer">git\.example\/foo<\/a>/,
  )
  assert.doesNotMatch(text, /javascript:/)
  assert.match(text, /<li class="tag"><a href="\/cargo\/-\/\?q=one">one<\/a><\/li>/)
  assert.match(text, /<li class="tag">games<\/li>/)
  assert.match(text, /<h2 id="owners">Owners<\/h2>\s*<ul><li>ann<\/li><\/ul>/)
  assert.match(text, /published here/)
})

test('the page has the lines that cargo wants, for a crate of this registry', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  const { text } = await app.request(page)
  for (const line of [
    '<pre tabindex="0">cargo add foo --registry local</pre>',
    '<pre tabindex="0">foo = { version = &#34;1.0.0&#34;, registry = &#34;local&#34; }</pre>',
    `<pre tabindex="0">[registries.local]\nindex = &#34;sparse+${app.url}/&#34;\ncredential-provider = &#34;cargo:token&#34;</pre>`,
  ])
    assert.ok(text.includes(line), line)
})

test('the page of a crate of an uplink names it, and has the lines for crates of crates.io', async (t) => {
  const { app } = await startProxy(t, { uplink: { crates: [crateFile('foo', '1.0.0').dep('bar', '1')] } })
  const answer = await app.request(page)
  assert.equal(answer.status, 200)
  assertPage(answer, 'no-cache')
  const { text } = answer
  assert.match(text, /from uplink up/)
  assert.ok(text.includes('<pre tabindex="0">cargo add foo</pre>'))
  assert.ok(text.includes('\n\n[source.crates-io]\nreplace-with = &#34;local&#34;</pre>'))
  assert.match(
    section(text, 'origin'),
    /comes from uplink <code>up<\/code> \(rule <code>\*\*<\/code> applies\)/,
  )
  assert.doesNotMatch(text, /<h2 id="owners">/)
})

test('any spelling leads to the published one, with version and query', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile('Foo-Bar'))
  for (const [asked, wanted] of [
    ['foo-bar', 'Foo-Bar'],
    ['FOO_BAR/1.0.0', 'Foo-Bar/1.0.0'],
    ['foo_bar?versions=all', 'Foo-Bar?versions=all'],
  ]) {
    const { status, headers } = await app.request(`/-/crates/${asked}`)
    assert.deepEqual([status, headers.get('location')], [302, `/cargo/-/crates/${wanted}`])
  }
})

test('a certain version is shown by its path or by a query', async (t) => {
  const app = await startApp(t)
  for (const version of ['1.0.0', '2.0.0-beta.1+build.5']) await app.publish(crateFile('foo', version))
  for (const path of [`${page}/1.0.0`, `${page}?version=1.0.0`]) {
    const answer = await app.request(path)
    assertPage(answer, 'no-cache')
    assert.match(answer.text, /<h1>foo <span class="version">1\.0\.0</)
    assert.ok(answer.text.includes('cargo add foo@=1.0.0 --registry local'))
  }
  const beta = encodeURIComponent('2.0.0-beta.1+build.5')
  const { status, text } = await app.request(`${page}/${beta}`)
  assert.equal(status, 200)
  assert.ok(text.includes('cargo add foo@=2.0.0-beta.1 --registry local'))
  assert.match(text, /<span class="tag">pre-release<\/span>/)
  assert.ok(text.includes(`href="/cargo/-/crates/foo/${beta}" aria-current="true"`))
})

test('a version that is not served is not there, and the page says why as far as it is known', async (t) => {
  const app = await startApp(t, { options: { admins: ['root'] } })
  await app.publish(crateFile('foo', '1.0.0'))
  await app.publish(crateFile('foo', '1.1.0'))
  await app.request('/api/v1/crates/foo/1.0.0', { method: 'DELETE', as: 'root' })
  for (const [version, status, words] of [
    ['9.9.9', 404, /<code>foo<\/code> does not have a version <code>9\.9\.9<\/code>/],
    ['1.0.0', 404, /<code>foo@1\.0\.0<\/code> is not served: it was removed, and its number stays taken/],
    ['x', 400, /Invalid version <code>x<\/code>/],
  ] as const) {
    const answer = await app.request(`${page}/${version}`)
    assert.equal(answer.status, status)
    assertPage(answer)
    assert.match(answer.text, words)
  }
})

test('yanked versions say so in words', async (t) => {
  const app = await startApp(t)
  for (const version of ['1.0.0', '1.1.0']) await app.publish(crateFile('foo', version))
  const yank = (version: string) =>
    app.request(`/api/v1/crates/foo/${version}/yank`, { method: 'DELETE', as: 'ann' })
  await yank('1.1.0')
  const { text } = await app.request(page)
  assert.match(text, /<h1>foo <span class="version">1\.0\.0</)
  assert.match(section(text, 'versions'), />1\.1\.0<\/a> <span class="tag warn">yanked<\/span><\/th>/)
  assert.doesNotMatch(text, /class="note"/)
  assert.match((await app.request(`${page}/1.1.0`)).text, /<strong>This version is yanked\.<\/strong>/)
  await yank('1.0.0')
  assert.match((await app.request(page)).text, /<strong>Every version is yanked\.<\/strong>/)
})

test('a version that is held back says why, and until when', async (t) => {
  const young = new Date(Date.now() - 3600_000).toISOString().replace(/\.\d+Z/, 'Z')
  const { app } = await startProxy(t, {
    uplink: { crates: [{ crate: crateFile('foo', '1.0.0'), pubtime: young }] },
    options: { packages: { '**': { proxy: ['up'], min_age: '7d' } } },
  })
  const { status, text } = await app.request(page)
  assert.equal(status, 200)
  assert.match(text, /Every version is yanked\.<\/strong>[^<]*: it was published/)
  assert.match(section(text, 'origin'), /<dt>Held back until<\/dt>/)
})

test('dependencies are grouped, and lead to pages here when they are of this registry', async (t) => {
  const app = await startApp(t)
  const own = { own: true, 'registry-index': `sparse+${app.url}/` }
  await app.publish(crateFile('core'))
  const crate = crateFile('foo')
    .dep('inner', { version: '1.0', package: 'core', ...own })
    .dep('serde', {
      version: '1.0.200',
      optional: true,
      'default-features': false,
      features: ['derive', 'rc'],
    })
    .dep('winapi', { version: '0.3', target: 'cfg(windows)' })
    .dep('cc', { version: '1', kind: 'build' })
    .dep('tempfile', { version: '3', kind: 'dev' })
    .feature('default', ['std'])
    .feature('std', ['dep:serde', 'serde?/std'])
  assert.equal((await app.publish(crate)).status, 200)
  const { text } = await app.request(page)
  const part = section(text, 'dependencies')
  assert.match(
    part,
    /<a href="\/cargo\/-\/crates\/core">core<\/a><\/th><td><code>\^1\.0<\/code><\/td><td>called <code>inner<\/code><\/td>/,
  )
  assert.match(part, /href="https:\/\/crates\.io\/crates\/serde" rel="nofollow noopener noreferrer">serde/)
  assert.match(
    part,
    /optional; without default features; with <code>derive<\/code>, <code>rc<\/code>; from crates\.io/,
  )
  assert.match(part, /only for <code>cfg\(windows\)<\/code>/)
  assert.deepEqual(
    [...part.matchAll(/<h3>(\w+)<\/h3>[\s\S]*?<tbody>([\s\S]*?)<\/tbody>/g)].map(([, kind, rows = '']) => [
      kind,
      rows.match(/<tr>/g)?.length,
    ]),
    [
      ['Normal', 3],
      ['Build', 1],
      ['Development', 1],
    ],
  )
  assert.match(part, /<summary>2 features<\/summary><dl class="features"><dt><code>default<\/code>/)
})

test('of a long history the 100 highest versions are shown, and all when asked', async (t) => {
  const crates = Array.from({ length: 1100 }, (_, i) => crateFile('foo', `1.${i}.0`))
  const { app } = await startProxy(t, { uplink: { crates } })
  const rows = (text: string) => section(text, 'versions').match(/<tr>/g)?.length
  const { text } = await app.request(page)
  assert.equal(rows(text), 101)
  assert.match(text, />1\.1099\.0<\/a>/)
  assert.match(text, /<a href="\/cargo\/-\/crates\/foo\?versions=all#versions">Show all 1,100 versions<\/a>/)
  const all = await app.request(`${page}?versions=all`)
  assert.equal(rows(all.text), 1101)
  assert.doesNotMatch(all.text, /Show all/)
})

test('downloads are counted on the page', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  assert.match((await app.request(page)).text, /No download from here has been counted yet/)
  for (let i = 0; i < 3; i++) await app.request('/api/v1/crates/foo/1.0.0/download')
  await app.close()
  const later = await startApp(t, { host: { storage: app.storage } })
  const { text } = await later.request(page)
  assert.match(text, /3 downloads in all, 3 of them in the last 90 days\./)
  assert.match(section(text, 'versions'), /<td class="number">3<\/td><\/tr>/)
  assert.match(text, /<svg class="plot" [^>]*role="img" aria-labelledby="plot-title plot-text">/)
})

test('what may not be read has the very page of what is not there', async (t) => {
  const app = await startApp(t, {
    options: {
      packages: {
        'secret-*': { access: ['rust-team'], publish: ['rust-team'] },
        '**': { access: ['$authenticated'], publish: ['$authenticated'] },
      },
    },
  })
  await app.publish(crateFile('secret-there'))
  for (const rest of ['', '/1.0.0', '?version=1.0.0']) {
    const ask = (name: string) => app.request(`/-/crates/${name}${rest}`, { as: 'bob' })
    const missing = await ask('missing-one')
    assert.equal(missing.status, 404)
    assertPage(missing)
    assert.match(missing.text, /Crate <code>missing-one<\/code> does not exist\./)
    for (const name of ['secret-there', 'SECRET_there', 'secret-none']) {
      const { status, text, headers } = await ask(name)
      assert.deepEqual([status, text], [404, missing.text.replaceAll('missing-one', name)])
      const named = (of: Headers) =>
        [...of].filter(([header]) => !['date', 'content-length'].includes(header))
      assert.deepEqual(named(headers), named(missing.headers))
    }
  }
  const seen = await app.request('/-/crates/secret-there', { as: 'ann' })
  assert.equal(seen.status, 200)
  assertPage(seen, 'private, no-cache')
})

test('the README is shown, with links into the repository', async (t) => {
  const app = await startApp(t)
  const crate = crateFile()
    .package({ repository: 'https://github.com/acme/foo', readme: 'docs/INTRO.md' })
    .add('foo-1.0.0/docs/INTRO.md', '# Foo\n\n[guide](guide.md) <script>alert(1)</script>')
  await app.publish(crate)
  await app.publish(crateFile('bar'))
  const answer = await app.request(page)
  assertPage(answer, 'no-cache')
  const part = section(answer.text, 'readme')
  assert.match(part, /<div class="readme"><h3>Foo<\/h3>/)
  assert.match(part, /href="https:\/\/github\.com\/acme\/foo\/blob\/HEAD\/docs\/guide\.md"/)
  assert.match(section((await app.request('/-/crates/bar')).text, 'readme'), /This version has no README/)
})

test('a README that cannot be had now is missing from the page, and nothing else is', async (t) => {
  const { app, uplink } = await startProxy(t, { uplink: { crates: [crateFile()] } })
  uplink.fault(uplink.cratePath('foo', '1.0.0'), '500')
  const answer = await app.request(page)
  assert.equal(answer.status, 200)
  assertPage(answer, 'no-cache')
  assert.match(section(answer.text, 'readme'), /<div class="note"><p>It cannot be shown now: .*uplink/)
  assert.match(section(answer.text, 'versions'), /1\.0\.0/)
})

test('owners of a crate of an uplink are those that it names', async (t) => {
  const { app } = await startProxy(t, { uplink: { crates: [crateFile()], api: true } })
  const { text } = await app.request(page)
  assert.match(
    text,
    /<h2 id="owners">Owners<\/h2>\s*<ul><li>dtolnay <span class="quiet">David Tolnay<\/span><\/li>/,
  )
  assert.match(text, /<p class="lead">The crate foo<\/p>/)
  assert.match(section(text, 'versions'), /<td>dtolnay<\/td>/)
})

test('where reads need no login, a page for somebody is kept for nobody else', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  const answer = await app.request(page, { as: 'bob' })
  assertPage(answer, 'private, no-cache')
  assert.equal(answer.headers.get('vary'), 'Authorization')
  assert.match(answer.text, /Signed in as bob/)
})
