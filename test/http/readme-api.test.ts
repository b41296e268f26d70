import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type App, startApp } from '../support/app.ts'
import { type CrateFile, crateFile } from '../support/crate-file.ts'
import { startUplink } from '../support/uplink.ts'
import { largeCrate } from './proxied.ts'
import { startProxy, uplinkOptions } from './upstream-app.ts'

const README = '/api/v1/crates/foo/1.0.0/readme'
const PLAIN = { headers: { accept: 'text/plain' } } as const
const TEXT = '# Foo\n\n<script>alert(1)</script> Größe\n'

function withReadme(path = 'README.md', text = TEXT): CrateFile {
  return crateFile('foo', '1.0.0').package({ readme: path }).add(`foo-1.0.0/${path}`, text)
}

/** The README that the app serves of this file; `undefined` when it says that there is none. */
async function readmeOf(app: App, file: CrateFile): Promise<string | undefined> {
  const published = await app.publish(file)
  assert.equal(published.status, 200, published.text)
  const { status, text, body } = await app.request(
    `/api/v1/crates/${file.name}/${file.version}/readme`,
    PLAIN,
  )
  if (status === 200) return text
  assert.equal(status, 404)
  assert.deepEqual(body, { errors: [{ detail: `\`${file.name}@${file.version}\` has no README` }] })
  return undefined
}

test('a README is served as HTML that is inert, or as it was written, whatever it contains', async (t) => {
  const app = await startApp(t)
  await app.publish(withReadme())
  for (const [accept, type, wanted] of [
    ['*/*', 'html', '<h3>Foo</h3>\n Größe\n'],
    ['text/html', 'html', '<h3>Foo</h3>\n Größe\n'],
    ['text/plain', 'plain', TEXT],
  ] as const) {
    const { status, headers, text } = await app.request(README, { headers: { accept } })
    assert.deepEqual([status, text], [200, wanted])
    assert.equal(headers.get('content-type'), `text/${type}; charset=utf-8`)
    assert.equal(
      headers.get('content-security-policy'),
      type === 'html'
        ? "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"
        : null,
    )
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('cache-control'), 'no-cache')
    assert.equal(headers.get('vary'), 'Accept')
    const etag = headers.get('etag') ?? ''
    assert.equal((await app.request(README, { headers: { accept, 'if-none-match': etag } })).status, 304)
  }
})

test('whoever asks for JSON is told where the README is', async (t) => {
  const app = await startApp(t)
  await app.publish(withReadme())
  const { body } = await app.request(README, { headers: { accept: 'application/json' } })
  assert.deepEqual(body, { url: `${app.url}${README}` })
})

test('the README is the file that the manifest names, else the one that cargo takes', async (t) => {
  const app = await startApp(t)
  const add = (version: string, ...paths: readonly string[]) => {
    const file = crateFile('foo', version)
    for (const path of paths) file.add(`foo-${version}/${path}`, `the file ${path}`)
    return file
  }
  for (const [file, wanted] of [
    [add('1.0.0', 'README', 'README.txt', 'README.md'), 'README.md'],
    [add('1.0.1', 'README', 'README.txt'), 'README.txt'],
    [add('1.0.2', 'README', 'docs/README.md'), 'README'],
    [add('1.0.3', 'docs/README.md', 'readme.md'), undefined],
    [add('1.0.4', 'README.md', 'docs/INTRO.md').package({ readme: 'docs/INTRO.md' }), 'docs/INTRO.md'],
    [add('1.0.5', 'README.md', 'docs/INTRO.md').package({ readme: './docs/INTRO.md' }), 'docs/INTRO.md'],
    [add('1.0.6', 'README.md').package({ readme: false }), undefined],
    [add('1.0.7', 'README.md', 'README').package({ readme: true }), 'README.md'],
    [add('1.0.8', 'README.md').package({ readme: 'not-there.md' }), undefined],
    [add('1.0.9'), undefined],
  ] as const) {
    assert.equal(await readmeOf(app, file), wanted && `the file ${wanted}`, file.version)
  }
})

test('of a long README the first 512 KiB are served, up to a whole character', async (t) => {
  const app = await startApp(t)
  const long = `x${'ü'.repeat(600 * 1024)}`
  const text = await readmeOf(app, withReadme('README.md', long))
  assert.equal(text, long.slice(0, 256 * 1024))
})

test('a README behind many megabytes is found', async (t) => {
  const app = await startApp(t)
  const file = largeCrate('foo', '1.0.0', 5 * 1024 * 1024).add('foo-1.0.0/README.md', TEXT)
  assert.equal(await readmeOf(app, file), TEXT)
})

test('a README of a proxied crate is read from its file, which is kept and not counted', async (t) => {
  const { app, uplink } = await startProxy(t, { uplink: { crates: [withReadme()] } })
  assert.equal((await app.request(README, PLAIN)).text, TEXT)
  assert.equal((await app.request('/api/v1/crates/FOO/1.0.0/readme', PLAIN)).text, TEXT)
  assert.equal(uplink.hits(uplink.cratePath('foo', '1.0.0')), 1)
  const metric = await app.metrics.getSingleMetric('cargo_downloads_total')?.get()
  assert.equal(metric?.values[0]?.value ?? 0, 0)
  await app.close()
  await uplink.stop()
  const options = { prefetch: 0, uplinks: { up: uplinkOptions(uplink) } }
  const later = await startApp(t, { host: { storage: app.storage }, options })
  assert.equal((await later.request(README, PLAIN)).text, TEXT)
  const { crate } = (await later.request('/api/v1/crates/foo')).body as { crate: { downloads: number } }
  assert.equal(crate.downloads, 0)
})

test('a proxied file that cannot be unpacked has no README, and one that cannot be had is no answer', async (t) => {
  const odd = crateFile('foo').raw(Buffer.from('no header of an entry'.padEnd(512, 'x')))
  const uplink = await startUplink(t, { crates: [odd, crateFile('bar')] })
  const options = { prefetch: 0, uplinks: { up: uplinkOptions(uplink) } }
  const app = await startApp(t, { options })
  assert.equal((await app.request(README)).status, 404)
  uplink.fault(uplink.cratePath('bar', '1.0.0'), '500')
  assert.equal((await app.request('/api/v1/crates/bar/1.0.0/readme')).status, 503)
  uplink.heal()
  assert.equal((await app.request('/api/v1/crates/bar/1.0.0/readme')).status, 404)
})

test('a README that may not be read, of a version that is not there or removed, is like none', async (t) => {
  const packages = {
    secret: { access: ['rust-team'], publish: ['rust-team'] },
    '**': { publish: ['$authenticated'], unpublish: ['$authenticated'] },
  }
  const app = await startApp(t, { options: { packages } })
  const secret = crateFile('secret').add('secret-1.0.0/README.md', TEXT)
  await app.publish(secret)
  await app.publish(withReadme())
  assert.equal((await app.request('/api/v1/crates/secret/1.0.0/readme', { as: 'ann', ...PLAIN })).text, TEXT)
  assert.equal((await app.request(README, { as: 'bob', ...PLAIN })).text, TEXT)
  await app.request('/api/v1/crates/foo/1.0.0', { method: 'DELETE', as: 'ann' })
  for (const [name, version] of [
    ['secret', '1.0.0'],
    ['foo', '1.0.0'],
    ['not-there', '1.0.0'],
  ] as const) {
    const { status, body } = await app.request(`/api/v1/crates/${name}/${version}/readme`, { as: 'bob' })
    assert.equal(status, 404)
    assert.deepEqual(body, { errors: [{ detail: `crate \`${name}\` does not exist` }] })
  }
})
