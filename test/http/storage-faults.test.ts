import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CargoError } from '../../src/errors.ts'
import { type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { faultyStore } from './faulty-store.ts'

const AWAY: readonly Error[] = [
  new CargoError('unavailable', 'the bucket is away'),
  Object.assign(new Error('EIO: i/o error, read /srv/data'), { code: 'EIO' }),
]
/** Longer than a record is trusted. */
const SOON = 1050
/** Reads of what was never seen. */
const API = [
  '',
  '/foo',
  '/foo/owners',
  '/foo/versions',
  '/foo/1.0.0',
  '/foo/1.0.0/readme',
  '/foo/downloads',
].map((path) => `/api/v1/crates${path}`)
const DOWNLOAD = '/api/v1/crates/foo/1.0.0/download'

async function blobOf(app: App): Promise<string> {
  const [key] = await app.stored('blobs/')
  assert.ok(key)
  return key
}

for (const error of AWAY) {
  test(`an index file that is known is served stale while storage is away: ${error.name}`, async (t) => {
    const { storage, fail } = faultyStore()
    const app = await startApp(t, { host: { storage } })
    await app.publish(crateFile())
    const known = await app.request('/3/f/foo')
    await delay(SOON)
    fail(error)
    const stale = await app.request('/3/f/foo')
    assert.deepEqual([stale.status, stale.text], [200, known.text])
    assert.equal(stale.headers.get('cache-status'), 'verdaccio-cargo; hit; detail=stale')
    fail(undefined)
    const again = await app.request('/3/f/foo')
    assert.deepEqual([again.status, again.headers.get('cache-status')], [200, null])
  })

  test(`a crate that is known is told of while storage is away: ${error.name}`, async (t) => {
    const { storage, fail } = faultyStore()
    const app = await startApp(t, { host: { storage } })
    await app.publish(crateFile())
    const paths = ['', '/versions', '/owners', '/1.0.0', '/1.0.0/dependencies', '/downloads']
    const ask = async () => {
      const answers = await Promise.all(paths.map((path) => app.request(`/api/v1/crates/foo${path}`)))
      return answers.map(({ status, text }) => [status, text])
    }
    const known = await ask()
    assert.ok(known.every(([status]) => status === 200))
    await delay(SOON)
    fail(error)
    assert.deepEqual(await ask(), known)
  })

  test(`nothing is said of an unknown crate while storage is away: ${error.name}`, async (t) => {
    const { storage, fail } = faultyStore()
    const app = await startApp(t, { host: { storage } })
    fail(error)
    for (const path of ['/3/f/foo', DOWNLOAD, ...API]) {
      const { status, headers, text } = await app.request(path)
      assert.equal(status, 503, path)
      assert.equal(headers.get('retry-after'), '2')
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.ok(!text.includes('/srv/data'))
    }
  })

  test(`a publish while storage is away changes nothing: ${error.name}`, async (t) => {
    const { storage, fail } = faultyStore()
    const app = await startApp(t, { host: { storage } })
    for (const operations of [['put'], ['get', 'stat']] as const) {
      fail(error, operations)
      assert.equal((await app.publish(crateFile())).status, 503, operations.join())
    }
    fail(undefined)
    // A blob without a change is no version: the garbage collector takes it.
    assert.deepEqual(await app.stored('crates/'), [])
    assert.equal((await app.publish(crateFile())).status, 200)
  })
}

test('a full store is told as such', async (t) => {
  const { storage, fail } = faultyStore()
  const app = await startApp(t, { host: { storage } })
  fail(new CargoError('storage_full', 'the storage is full'), ['put'])
  const { status, body } = await app.publish(crateFile())
  assert.equal(status, 507)
  assert.deepEqual(body, { errors: [{ detail: 'the storage is full' }] })
  assert.deepEqual(await app.stored(), [])
})

test('a small damaged file is not sent', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  await app.storage.put(await blobOf(app), Buffer.alloc(crateFile().bytes().length))
  const requests: readonly Readonly<Record<string, string>>[] = [{}, { range: 'bytes=0-9' }]
  for (const headers of requests) {
    const { status, headers: got, body } = await app.request(DOWNLOAD, { headers })
    assert.equal(status, 503)
    assert.deepEqual(body, {
      errors: [{ detail: 'the stored crate file is damaged, the operator has been told' }],
    })
    for (const name of ['etag', 'last-modified', 'content-range', 'accept-ranges'])
      assert.equal(got.get(name), null)
    assert.equal(got.get('cache-control'), 'no-store')
  }
  assert.ok(app.events.some(({ kind }) => kind === 'integrity'))
  assert.notEqual(app.errors.length, 0)
})

test('a large damaged file is never sent to its end', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile().add('foo-1.0.0/noise', randomBytes(1024 * 1024)))
  const key = await blobOf(app)
  const size = (await app.storage.stat(key))?.size ?? 0
  await app.storage.put(key, Buffer.alloc(size, 1))
  // Whether the answer begins depends on the chunks that the store sends.
  await assert.rejects(fetch(app.url + DOWNLOAD).then((response) => response.arrayBuffer()))
})

test('a missing file of a published version is no 404', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  await app.storage.delete(await blobOf(app))
  const { status, body } = await app.request(DOWNLOAD)
  assert.equal(status, 503)
  assert.deepEqual(body, {
    errors: [{ detail: 'the file of `foo@1.0.0` is missing in storage, the operator has been told' }],
  })
})

for (const damage of ['{', '[]', 'null', '{"kind":"yank","vers":"1.0.0"}']) {
  test(`a damaged change log is neither served nor added to: ${damage}`, async (t) => {
    const storage = faultyStore().storage
    const first = await startApp(t, { host: { storage } })
    await first.publish(crateFile())
    const [key = ''] = await first.stored('crates/')
    await storage.put(key, Buffer.from(damage))
    const app = await startApp(t, { host: { storage } })
    const before = await app.stored()
    const { status, body } = await app.request('/3/f/foo')
    assert.equal(status, 500)
    assert.deepEqual(body, { errors: [{ detail: 'internal error, the operator has been told' }] })
    assert.equal((await app.publish(crateFile('foo', '2.0.0'))).status, 500)
    assert.deepEqual(await app.stored(), before)
  })
}
