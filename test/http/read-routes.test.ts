import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

test('config.json names this registry, and asks for a login only where reads need one', async (t) => {
  const open = await startApp(t)
  const closed = await startApp(t, { options: { auth_required: true } })
  for (const path of ['/config.json', '/index/config.json']) {
    const answer = await open.request(path)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
    assert.equal(answer.headers.get('cache-control'), 'no-cache')
    assert.deepEqual(answer.body, { dl: `${open.url}/api/v1/crates`, api: open.url })
    assert.deepEqual((await closed.request(path, { as: 'bob' })).body, {
      dl: `${closed.url}/api/v1/crates`,
      api: closed.url,
      'auth-required': true,
    })
  }
})

test('config.json takes the base URL from the host, never from the Host header', async (t) => {
  const app = await startApp(t, { host: { publicUrl: () => 'https://crates.example/' } })
  const { body } = await app.request('/config.json', { headers: { 'x-forwarded-host': 'evil.example' } })
  assert.deepEqual(body, {
    dl: 'https://crates.example/cargo/api/v1/crates',
    api: 'https://crates.example/cargo',
  })
})

test('an index file has one line per version, and may be asked for by its ETag', async (t) => {
  const app = await startApp(t)
  const [first, second] = [crateFile('foo', '1.0.0').dep('bar', '1'), crateFile('foo', '0.9.0+x')]
  await app.publish(first)
  await app.publish(second)
  const { status, headers, text } = await app.request('/3/f/foo')
  assert.equal(status, 200)
  assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8')
  assert.equal(headers.get('cache-control'), 'no-cache')
  assert.equal(headers.get('content-length'), String(Buffer.byteLength(text)))
  const etag = headers.get('etag') ?? ''
  assert.match(etag, /^"[0-9a-f]{32}"$/)
  const modified = Date.parse(headers.get('last-modified') ?? '')
  assert.ok(Math.abs(Date.now() - modified) < 5000)
  assert.ok(text.endsWith('}\n'))
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    lines.map(({ pubtime, ...line }) => line),
    [
      {
        name: 'foo',
        vers: '1.0.0',
        deps: [
          {
            name: 'bar',
            req: '^1',
            features: [],
            optional: false,
            default_features: true,
            target: null,
            kind: 'normal',
            registry: 'https://github.com/rust-lang/crates.io-index',
          },
        ],
        cksum: createHash('sha256').update(first.bytes()).digest('hex'),
        features: {},
        yanked: false,
      },
      {
        name: 'foo',
        vers: '0.9.0+x',
        deps: [],
        cksum: createHash('sha256').update(second.bytes()).digest('hex'),
        features: {},
        yanked: false,
      },
    ],
  )
  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const fresh = await app.request('/3/f/foo', { headers: { 'if-none-match': tag } })
    assert.deepEqual([fresh.status, fresh.text, fresh.headers.get('etag')], [304, '', etag])
  }
  const other = await app.request('/3/f/foo', { headers: { 'if-none-match': '"other"' } })
  assert.deepEqual([other.status, other.text], [200, text])
})

test('HEAD of an index file has the headers of GET and no body', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  const [head, get] = [await app.request('/3/f/foo', { method: 'HEAD' }), await app.request('/3/f/foo')]
  assert.deepEqual([head.status, head.text], [200, ''])
  for (const name of ['etag', 'content-length', 'content-type', 'cache-control', 'last-modified']) {
    assert.equal(head.headers.get(name), get.headers.get(name), name)
  }
})

test('an index file changes its ETag with a yank, at once', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  const before = (await app.request('/3/f/foo')).headers.get('etag') ?? ''
  await app.request('/api/v1/crates/foo/1.0.0/yank', { method: 'DELETE', as: 'ann' })
  const after = await app.request('/3/f/foo', { headers: { 'if-none-match': before } })
  assert.equal(after.status, 200)
  assert.equal(JSON.parse(after.text).yanked, true)
})

test('an index path tells `-` and `_` apart and folds case', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile('Foo-Bar'))
  assert.equal((await app.request('/fo/o-/foo-bar')).status, 200)
  const { status, body } = await app.request('/fo/o_/foo_bar')
  assert.equal(status, 404)
  assert.deepEqual(body, { errors: [{ detail: 'crate `foo_bar` does not exist' }] })
})

test('a name of three letters is also found where Dependabot looks for it', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile('Foo'))
  const { text } = await app.request('/3/f/foo')
  for (const path of ['/3/fo/foo', '/3/Fo/Foo', '/index/3/fo/foo']) {
    const answer = await app.request(path)
    assert.deepEqual([answer.status, answer.text], [200, text], path)
  }
  for (const path of ['/3/oo/foo', '/3/foo/foo', '/3/fo/food', '/2/fo/fo'])
    assert.equal((await app.request(path)).status, 404, path)
})
