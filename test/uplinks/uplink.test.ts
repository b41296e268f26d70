import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { constants, createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { makeCertificate } from '../support/certificate.ts'
import { CONFIG, clientOf, crateOf, listen, startWithCrate, textOf } from './clients.ts'

/** Whatever is asked for. */
const ALL = /./

test('createUplink() reads a `url` in every spelling', async (t) => {
  const { server, bytes, download } = await startWithCrate(t)
  const bare = server.url.slice(0, -1)
  for (const url of [bare, `${bare}/`, `sparse+${bare}`, `SPARSE+${bare}/`, ` ${bare}/?a#b `]) {
    const client = clientOf(t, url)
    assert.match(await textOf(client), /^\{"name":"Foo_Bar","vers":"1.0.0"/, url)
    assert.deepEqual(await crateOf(client, download), bytes, url)
  }
})

test('crate() tells the size and streams', async (t) => {
  const { server, bytes, download } = await startWithCrate(t)
  const { size, body } = await clientOf(t, server.url).crate(download)
  assert.equal(size, bytes.length)
  assert.deepEqual(await buffer(body), bytes)
})

test('createUplink() sends its token wherever the uplink is, when `auth-required` is set', async (t) => {
  for (const type of ['token', 'bearer', 'basic'] as const) {
    const authorization = { token: 'secret', bearer: 'Bearer secret', basic: 'Basic secret' }[type]
    const { server, bytes, download } = await startWithCrate(t, { authRequired: authorization, api: true })
    const client = clientOf(t, server.url, { auth: { type, token: 'secret' } })
    assert.match(await textOf(client), /Foo_Bar/)
    assert.deepEqual(await crateOf(client, download), bytes)
    assert.equal((await client.search({ q: 'foo', perPage: 10, page: 1 }))?.meta.total, 1)
    const stranger = clientOf(t, server.url)
    await assert.rejects(stranger.index('foo_bar'), {
      fault: 'foreign',
      message: 'uplink `up` answers 401: check its `auth` and `headers`',
    })
  }
})

test('createUplink() sends its token and headers to no other origin', async (t) => {
  const { server, bytes, download } = await startWithCrate(t)
  const elsewhere = await listen(t, (request, response) =>
    request.url?.startsWith('/api/') ? response.end('{"crates":[],"meta":{"total":0}}') : response.end(bytes),
  )
  const dl = `${elsewhere.origin}/dl`
  server.set(CONFIG, { body: JSON.stringify({ dl, api: elsewhere.origin, 'auth-required': true }) })
  server.fault(server.indexPath('foo_bar'), { mode: '302', location: `${elsewhere.origin}/index` })
  const client = clientOf(t, server.url, {
    auth: { token: 'secret' },
    headers: { 'x-key': 'secret', cookie: 'secret' },
  })
  await client.index('foo_bar')
  assert.deepEqual(await crateOf(client, download), bytes)
  await client.search({ q: 'foo', perPage: 10, page: 1 })
  assert.deepEqual(
    elsewhere.requests.map(({ url }) => url?.replace(/\?.*/, '')),
    ['/index', '/dl/Foo_Bar/1.0.0/download', '/api/v1/crates'],
  )
  for (const { rawHeaders } of elsewhere.requests) assert.doesNotMatch(rawHeaders.join(), /secret/)
  for (const { headers } of server.requests) {
    assert.deepEqual([headers.authorization, headers['x-key'], headers.cookie], Array(3).fill('secret'))
  }
})

test('createUplink() says who it is, and how it wants its answers', async (t) => {
  const { server, download } = await startWithCrate(t, { userAgentRequired: true, api: true })
  const client = clientOf(t, server.url)
  await client.index('foo_bar')
  await crateOf(client, download)
  await client.search({ q: 'a b', perPage: 7, page: 2 })
  const seen = server.requests.map(({ path, headers }) => [
    path,
    headers['accept-encoding'],
    headers['cargo-protocol'],
  ])
  assert.deepEqual(seen, [
    ['/index/fo/o_/foo_bar', 'gzip', 'version=1'],
    [CONFIG, undefined, undefined],
    ['/crates/Foo_Bar/1.0.0/download', 'identity', undefined],
    ['/api/v1/crates?q=a+b&per_page=7&page=2', 'gzip', undefined],
  ])
})

test('index() sends the tag, else the date, and believes a 304 only then', async (t) => {
  const { server } = await startWithCrate(t)
  const client = clientOf(t, server.url)
  const first = await client.index('foo_bar')
  assert.ok(first.kind === 'changed' && first.etag !== undefined && first.lastModified !== undefined)
  const { etag, lastModified } = first
  assert.deepEqual(await client.index('foo_bar', { etag, lastModified }), { kind: 'unchanged' })
  assert.deepEqual(await client.index('foo_bar', { lastModified }), { kind: 'unchanged' })
  assert.equal((await client.index('foo_bar', { etag: '"other"', lastModified })).kind, 'changed')
  const sent = server.requests
    .filter(({ path }) => path !== CONFIG)
    .map(({ headers: { 'if-none-match': tag, 'if-modified-since': date } }) => [tag, date])
  assert.deepEqual(sent, [
    [undefined, undefined],
    [etag, undefined],
    [undefined, lastModified],
    ['"other"', undefined],
  ])
  server.fault(ALL, '304')
  await assert.rejects(client.index('foo_bar'), { fault: 'foreign', message: 'uplink `up` answers 304' })
  await assert.rejects(client.index('foo_bar', { etag: '' }), { fault: 'foreign' })
})

test('index() decodes what comes packed', async (t) => {
  const { server } = await startWithCrate(t, { gzip: true })
  assert.match(await textOf(clientOf(t, server.url)), /^\{"name":"Foo_Bar"/)
})

test('crate() leaves an encoding alone, as cargo does', async (t) => {
  const { server, bytes, download } = await startWithCrate(t)
  const client = clientOf(t, server.url)
  server.fault(/^\/crates/, 're-encoded')
  const { size, body } = await client.crate(download)
  assert.equal(size, bytes.length)
  assert.deepEqual(await buffer(body), bytes)
  server.fault(/^\/crates/, { mode: 're-encoded', packed: true })
  assert.deepEqual(await crateOf(client, download), gzipSync(bytes))
})

test('crate() is not given up when its body takes longer than an answer may', async (t) => {
  const { server, bytes, download } = await startWithCrate(t)
  server.fault(/^\/crates/, { mode: 'drip', bytesPerSecond: 4000 })
  const client = clientOf(t, server.url, { timeout: '300ms' })
  const began = performance.now()
  assert.deepEqual(await crateOf(client, download), bytes)
  assert.ok(performance.now() - began > 900)
})

test('index() wants a body twice when nobody tells where it ends', async (t) => {
  const text = `${'x'.repeat(100)}\n`.repeat(9)
  let lengths: number[] = []
  const server = await listen(t, ({ url }, response) => {
    if (url === '/config.json') return void response.writeHead(404).end()
    response.useChunkedEncodingByDefault = false
    response.writeHead(200, { connection: 'close' }).end(text.slice(0, lengths.shift()))
  })
  const client = clientOf(t, server.origin, { max_fails: 0 })
  lengths = [text.length, text.length]
  assert.equal(await textOf(client), text)
  assert.equal(server.requests.filter(({ url }) => url !== '/config.json').length, 2)
  for (const cut of [
    [202, text.length],
    [text.length, 202],
    [202, 303],
  ]) {
    lengths = cut
    await assert.rejects(client.index('foo_bar'), { fault: 'cut', message: /without its length/ })
  }
})

test('index() sees over HTTP/2 that a stream without a length was reset', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'uplink-'))
  t.after(() => rm(folder, { recursive: true }))
  const { cert, key, certFile } = await makeCertificate(folder)
  const text = `${'x'.repeat(100)}\n`.repeat(9)
  let cuts = 0
  const server = createSecureServer({ cert, key }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  server.on('stream', (stream, { ':path': path }) => {
    stream.on('error', () => undefined)
    if (path === '/config.json') return stream.respond({ ':status': 404 }, { endStream: true })
    stream.respond({ ':status': 200 })
    if (cuts-- > 0) stream.write(text.slice(0, 202), () => stream.close(constants.NGHTTP2_CANCEL))
    else stream.end(text)
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = clientOf(t, `https://127.0.0.1:${port}/`, { ca: certFile })
  assert.equal(await textOf(client), text)
  cuts = 1
  await assert.rejects(client.index('foo_bar'), { fault: 'cut' })
  await client.close()
})
