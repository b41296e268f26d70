import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CargoError } from '../../src/errors.ts'
import { blobKey } from '../../src/registry/keys.ts'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { download } from '../support/download.ts'
import { startUplink } from '../support/uplink.ts'
import { faultyStore } from './faulty-store.ts'
import { downloadPath, largeCrate, proxyOptions, settled, storedBlobs } from './proxied.ts'

/** After so many milliseconds an index file may have a version that it had not. */
const LOOKS_AGAIN = 1050
const MiB = 1024 * 1024
const FOO = downloadPath('foo', '1.0.0')
const SIZES = { small: crateFile('foo'), large: largeCrate('foo', '1.0.0', 1.5 * MiB) }
const BOTH = Object.entries(SIZES)

for (const [size, crate] of BOTH) {
  test(`a ${size} crate is fetched once, streamed and stored; afterwards no uplink is needed`, async (t) => {
    const uplink = await startUplink(t, { crates: [crate] })
    const app = await startApp(t, { options: proxyOptions(uplink) })
    const [version] = uplink.versions()
    assert.ok(version?.bytes)
    const { bytes, cksum } = version
    for (const when of ['cold', 'stored']) {
      const { status, headers, body, whole } = await download(app.url + FOO)
      assert.deepEqual([status, whole], [200, true], when)
      assert.ok(body.equals(bytes), when)
      assert.equal(headers['content-length'], String(bytes.length))
      assert.equal(headers['content-type'], 'application/gzip')
      assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable, no-transform')
      assert.equal(headers['etag'], `"${cksum}"`)
      assert.equal(headers['accept-ranges'], 'bytes')
      await settled(() => storedBlobs(app.storage), { sound: [cksum], wrong: [] })
      await uplink.stop()
    }
    assert.equal(uplink.hits(/^\/crates/), 1)
  })

  test(`HEAD, Range and If-None-Match of a ${size} crate that is not here, and of one that is`, async (t) => {
    const uplink = await startUplink(t, { crates: [crate] })
    const app = await startApp(t, { options: proxyOptions(uplink) })
    const [version] = uplink.versions()
    assert.ok(version?.bytes)
    const { bytes, cksum } = version
    const ask = (method: string, headers = {}) => download(app.url + FOO, { method, headers })

    const head = await ask('HEAD')
    assert.deepEqual([head.status, head.body.length, head.headers['content-length']], [200, 0, undefined])
    assert.equal(head.headers['etag'], `"${cksum}"`)
    assert.equal((await ask('GET', { 'if-none-match': `"${cksum}"` })).status, 304)
    assert.deepEqual(await storedBlobs(app.storage), { sound: [], wrong: [] })
    assert.equal(uplink.hits(/^\/crates/), 0, 'neither is worth a download')

    // A part of what is to come is not to be had: the whole is sent, as RFC 9110 allows.
    const early = await ask('GET', { range: 'bytes=5-9' })
    assert.equal(early.status, 200)
    assert.ok(early.body.equals(bytes))
    await settled(() => storedBlobs(app.storage), { sound: [cksum], wrong: [] })

    const late = await ask('GET', { range: 'bytes=5-9' })
    assert.deepEqual([late.status, late.body], [206, bytes.subarray(5, 10)])
    assert.equal(late.headers['content-range'], `bytes 5-9/${bytes.length}`)
    assert.equal((await ask('GET', { range: `bytes=${bytes.length}-` })).status, 416)
    const known = await ask('HEAD')
    assert.deepEqual([known.status, known.headers['content-length']], [200, String(bytes.length)])
    assert.equal((await ask('GET', { 'if-none-match': '*' })).status, 304)
    assert.equal(uplink.hits(/^\/crates/), 1)
  })

  test(`a damaged copy of a ${size} crate is fetched again and mended`, async (t) => {
    const uplink = await startUplink(t, { crates: [crate] })
    const app = await startApp(t, { options: proxyOptions(uplink) })
    const [version] = uplink.versions()
    assert.ok(version?.bytes)
    const { bytes, cksum } = version
    await app.storage.put(blobKey(cksum), Buffer.alloc(bytes.length, 1))
    const first = await download(app.url + FOO)
    if (size === 'small') assert.ok(first.whole && first.body.equals(bytes))
    else assert.equal(first.whole, false, 'what was begun can only be cut short')
    assert.ok(app.events.some(({ kind, detail }) => kind === 'integrity' && detail?.['sha256'] === cksum))
    const second = await download(app.url + FOO)
    assert.ok(second.whole && second.body.equals(bytes))
    await settled(() => storedBlobs(app.storage), { sound: [cksum], wrong: [] })
    await uplink.stop()
    const third = await download(app.url + FOO)
    assert.ok(third.whole && third.body.equals(bytes))
    assert.equal(uplink.hits(/^\/crates/), 1)
  })

  test(`a damaged ${size} crate of our own is refused`, async (t) => {
    const app = await startApp(t)
    await app.publish(crate)
    const [key = ''] = await app.stored('blobs/')
    const sound = crate.bytes()
    await app.storage.put(key, Buffer.alloc(sound.length, 1))
    const first = await download(app.url + FOO)
    if (size === 'small') assert.equal(first.status, 503)
    assert.ok(!first.whole || first.status === 503)
    const second = await download(app.url + FOO)
    assert.deepEqual([second.status, second.headers['retry-after']], [503, '60'])
    await app.storage.put(key, sound)
    assert.ok((await download(app.url + FOO)).body.equals(sound), 'somebody else mended it')
  })

  test(`a client gets its ${size} crate although the store is full, as often as it asks`, async (t) => {
    const uplink = await startUplink(t, { crates: [crate] })
    const { storage, fail } = faultyStore()
    const app = await startApp(t, { host: { storage }, options: proxyOptions(uplink) })
    for (const error of [new CargoError('storage_full', 'the storage is full'), new Error('EIO')]) {
      fail(error, ['put'])
      const { status, body } = await download(app.url + FOO)
      assert.equal(status, 200)
      assert.ok(body.equals(crate.bytes()))
      fail(undefined)
      assert.deepEqual(await storedBlobs(storage), { sound: [], wrong: [] })
    }
    assert.equal((await download(app.url + FOO)).status, 200)
    await settled(async () => (await storedBlobs(storage)).sound.length, 1)
  })

  test(`an uplink with \`cache: false\` leaves no ${size} crate behind`, async (t) => {
    const uplink = await startUplink(t, { crates: [crate] })
    const app = await startApp(t, { options: proxyOptions(uplink, {}, { cache: false }) })
    for (const times of [1, 2]) {
      assert.ok((await download(app.url + FOO)).body.equals(crate.bytes()))
      assert.equal(uplink.hits(/^\/crates/), times)
    }
    assert.deepEqual(await storedBlobs(app.storage), { sound: [], wrong: [] })
  })
}

test('a version that is not known is looked for once more, and then it is a 404', async (t) => {
  const uplink = await startUplink(t, { crates: [crateFile('foo')] })
  const app = await startApp(t, { options: proxyOptions(uplink) })
  const looks = () => uplink.hits(uplink.indexPath('foo'))
  assert.equal((await download(app.url + FOO)).status, 200)
  assert.equal(looks(), 1)
  await sleep(LOOKS_AGAIN)
  const missing = await app.request(downloadPath('foo', '1.1.0'))
  assert.equal(missing.status, 404)
  assert.deepEqual(missing.body, { errors: [{ detail: 'crate `foo` does not have a version `1.1.0`' }] })
  assert.equal(looks(), 2)
  uplink.publish(crateFile('foo', '1.1.0'))
  await sleep(LOOKS_AGAIN)
  assert.equal((await download(app.url + downloadPath('foo', '1.1.0'))).status, 200)
  assert.equal(looks(), 3)
})

test('only the published spelling of a name has files', async (t) => {
  const uplink = await startUplink(t, { crates: [crateFile('Foo-Bar')] })
  const app = await startApp(t, { options: proxyOptions(uplink) })
  for (const name of ['foo-bar', 'Foo_Bar', 'FOO-BAR'])
    assert.equal((await app.request(downloadPath(name, '1.0.0'))).status, 404, name)
  assert.equal(uplink.hits(/^\/crates/), 0)
  assert.equal((await download(app.url + downloadPath('Foo-Bar', '1.0.0'))).status, 200)
})

test('a yanked version can be downloaded', async (t) => {
  const uplink = await startUplink(t, { crates: [{ crate: crateFile('foo'), yanked: true }] })
  const app = await startApp(t, { options: proxyOptions(uplink) })
  assert.ok((await download(app.url + FOO)).body.equals(crateFile('foo').bytes()))
})

test('a file that the uplink does not have is a 404, as long as it does not', async (t) => {
  const uplink = await startUplink(t, { crates: [crateFile('foo')] })
  const app = await startApp(t, { options: proxyOptions(uplink) })
  uplink.fault(uplink.cratePath('foo', '1.0.0'), '404', 2)
  for (const hits of [1, 2]) {
    const { status, body, headers } = await app.request(FOO)
    assert.equal(status, 404)
    assert.deepEqual(body, { errors: [{ detail: 'uplink `up` does not have the file of `foo@1.0.0`' }] })
    assert.equal(headers.get('cache-control'), 'no-store')
    for (const name of ['etag', 'accept-ranges']) assert.equal(headers.get(name), null)
    assert.equal(uplink.hits(/^\/crates/), hits)
  }
  assert.equal((await download(app.url + FOO)).status, 200)
})

test('a file larger than `limits.proxied` is neither sent whole nor stored', async (t) => {
  for (const [size, crate] of BOTH) {
    const uplink = await startUplink(t, { crates: [crate] })
    const proxied = crate.bytes().length - 1
    const app = await startApp(t, { options: proxyOptions(uplink, { limits: { proxied } }) })
    const { status, whole } = await download(app.url + FOO)
    assert.ok(status === 503 || !whole, size)
    assert.deepEqual(await storedBlobs(app.storage), { sound: [], wrong: [] })
  }
})
