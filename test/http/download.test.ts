import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import type { ObjectStore } from '../../src/host.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { until } from '../support/until.ts'

const PATH = '/api/v1/crates/foo/1.0.0/download'
const BYTES = crateFile().bytes()
const ETAG = `"${createHash('sha256').update(BYTES).digest('hex')}"`
const SIZE = BYTES.length

async function published(context: Parameters<typeof startApp>[0]): Promise<App> {
  const app = await startApp(context)
  assert.equal((await app.publish(crateFile())).status, 200)
  return app
}

async function get(app: App, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(app.url + PATH, { headers })
  return {
    status: response.status,
    headers: response.headers,
    bytes: Buffer.from(await response.arrayBuffer()),
  }
}

test('a download is the published file, for ever', async (t) => {
  const app = await published(t)
  const { status, headers, bytes } = await get(app)
  assert.equal(status, 200)
  assert.ok(bytes.equals(BYTES))
  const wanted = {
    'content-type': 'application/gzip',
    'content-length': String(SIZE),
    'content-encoding': null,
    etag: ETAG,
    'cache-control': 'public, max-age=31536000, immutable, no-transform',
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
  }
  for (const [name, value] of Object.entries(wanted)) assert.equal(headers.get(name), value, name)
  assert.ok(Date.parse(headers.get('last-modified') ?? '') > 0)
})

test('a download is private where reads need a login', async (t) => {
  const app = await startApp(t, { options: { auth_required: true } })
  await app.publish(crateFile())
  const { headers } = await app.request(PATH, { as: 'bob' })
  assert.equal(headers.get('cache-control'), 'private, max-age=31536000, immutable, no-transform')
  assert.equal(headers.get('vary'), 'Authorization')
})

test('a yanked version can be downloaded', async (t) => {
  const app = await published(t)
  await app.request('/api/v1/crates/foo/1.0.0/yank', { method: 'DELETE', as: 'ann' })
  assert.equal((await get(app)).status, 200)
})

const RANGES: readonly (readonly [string, number, number])[] = [
  ['bytes=0-0', 0, 1],
  ['bytes=10-19', 10, 20],
  ['bytes=10-', 10, SIZE],
  ['bytes=-5', SIZE - 5, SIZE],
  ['bytes=-999999', 0, SIZE],
  ['bytes=0-999999', 0, SIZE],
]

test('a range of a download is sent', async (t) => {
  const app = await published(t)
  for (const [range, start, end] of RANGES) {
    const requests: readonly Readonly<Record<string, string>>[] = [{ range }, { range, 'if-range': ETAG }]
    for (const headers of requests) {
      const answer = await get(app, headers)
      assert.equal(answer.status, 206, range)
      assert.equal(answer.headers.get('content-range'), `bytes ${start}-${end - 1}/${SIZE}`)
      assert.equal(answer.headers.get('content-length'), String(end - start))
      assert.ok(answer.bytes.equals(BYTES.subarray(start, end)), range)
    }
  }
})

test('the whole is sent for ranges that mean nothing or another file', async (t) => {
  const app = await published(t)
  const cases: readonly Readonly<Record<string, string>>[] = [
    ...['bytes=', 'bytes=-', 'bytes=5-4', 'bytes=0-1,3-4', 'lines=0-1', 'bytes=a-b'].map((range) => ({
      range,
    })),
    { range: 'bytes=0-1', 'if-range': '"other"' },
    { range: 'bytes=0-1', 'if-range': 'Thu, 01 Jan 1970 00:00:00 GMT' },
  ]
  for (const headers of cases) {
    const { status, bytes } = await get(app, headers)
    assert.equal(status, 200, JSON.stringify(headers))
    assert.ok(bytes.equals(BYTES))
  }
})

test('a range that begins after the end is refused', async (t) => {
  const app = await published(t)
  for (const range of [`bytes=${SIZE}-`, 'bytes=999999-9999999', 'bytes=-0']) {
    const { status, headers, body } = await app.request(PATH, { headers: { range } })
    assert.equal(status, 416, range)
    assert.equal(headers.get('content-range'), `bytes */${SIZE}`)
    assert.deepEqual(body, {
      errors: [{ detail: `range \`${range}\` begins after the end of the ${SIZE} bytes` }],
    })
    for (const name of ['etag', 'last-modified']) assert.equal(headers.get(name), null, name)
  }
})

test('HEAD of a download has the headers of GET and no body, and knows no ranges', async (t) => {
  const app = await published(t)
  for (const range of [undefined, 'bytes=0-9', `bytes=${SIZE}-`]) {
    const asked = { method: 'HEAD', ...(range !== undefined && { headers: { range } }) }
    const { status, headers, text } = await app.request(PATH, asked)
    assert.deepEqual([status, text, headers.get('content-length')], [200, '', String(SIZE)])
    assert.deepEqual([headers.get('etag'), headers.get('content-range')], [ETAG, null])
  }
})

test('a download that the client has is not sent again', async (t) => {
  const app = await published(t)
  const { status, text, headers } = await app.request(PATH, { headers: { 'if-none-match': ETAG } })
  assert.deepEqual([status, text, headers.get('etag')], [304, '', ETAG])
})

test('a download that has not been modified since a date is not sent again', async (t) => {
  const app = await published(t)
  const modified = (await get(app)).headers.get('last-modified') ?? ''
  const at = (ms: number) => new Date(Date.parse(modified) + ms).toUTCString()
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) (\S+) GMT$/.exec(at(1000)) ?? []
  const cases: readonly (readonly [number, Readonly<Record<string, string>>])[] = [
    [304, { 'if-modified-since': modified }],
    [304, { 'if-modified-since': at(1000) }],
    [304, { 'if-modified-since': `Someday, ${day}-${month}-${year?.slice(2)} ${time} GMT` }],
    [304, { 'if-modified-since': `Day ${month} ${day?.replace(/^0/, ' ')} ${time} ${year}` }],
    [304, { 'if-modified-since': modified, range: 'bytes=0-1' }],
    [200, { 'if-modified-since': at(-1000) }],
    [200, { 'if-modified-since': 'tomorrow' }],
    [200, { 'if-modified-since': `${Date.now() + 99_999}` }],
    [200, { 'if-modified-since': 'Fri, 31 Foo 2100 23:59:59 GMT' }],
    [200, { 'if-modified-since': `${modified}, ${modified}` }],
    // The tag says more.
    [200, { 'if-modified-since': modified, 'if-none-match': '"other"' }],
    [304, { 'if-modified-since': at(-1000), 'if-none-match': ETAG }],
  ]
  for (const [wanted, headers] of cases) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await fetch(app.url + PATH, { method, headers })
      const size = (await answer.arrayBuffer()).byteLength
      assert.deepEqual(
        [answer.status, size],
        [wanted, wanted === 304 || method === 'HEAD' ? 0 : SIZE],
        JSON.stringify(headers),
      )
    }
  }
})

test('a version that is not there is not found', async (t) => {
  const app = await published(t)
  const { status, body } = await app.request('/api/v1/crates/foo/2.0.0/download')
  assert.equal(status, 404)
  assert.deepEqual(body, { errors: [{ detail: 'crate `foo` does not have a version `2.0.0`' }] })
})

test('a client that leaves before the turn of its answers leaves nothing open', async (t) => {
  const inner = memoryStorage()
  const bodies: Readable[] = []
  let left: Promise<unknown> = Promise.resolve()
  const storage: ObjectStore = {
    ...inner,
    async get(key, range) {
      const object = await inner.get(key, range)
      if (range === undefined || object === undefined) return object
      bodies.push(object.body)
      await left
      return object
    },
  }
  const app = await startApp(t, { host: { storage } })
  await app.publish(crateFile())
  // From then on it is known to be whole.
  await get(app)
  const connected = once(app.server, 'connection')
  const client = connect(Number(new URL(app.url).port), '127.0.0.1')
  client.on('error', () => {})
  const [socket] = (await connected) as [Socket]
  left = new Promise((resolve) => socket.once('close', resolve))
  client.write(`GET /cargo${PATH} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-9\r\n\r\n`.repeat(3))
  await until(() => bodies.length, 3)
  client.resetAndDestroy()
  await left
  await until(() => bodies.every((body) => body.destroyed), true)
})
