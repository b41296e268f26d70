import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { ObjectStore } from '../../src/host.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { createDownloadCounts, type DownloadCounts } from '../../src/registry/download-counts.ts'
import { reliableStorage } from '../../src/registry/reliable-storage.ts'
import { type App, startApp } from '../support/app.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { makeCertificate } from '../support/certificate.ts'
import { crateFile } from '../support/crate-file.ts'
import { download } from '../support/download.ts'
import { stopAfterAnswers, watchAnswers } from './open-answers.ts'
import { downloadPath, largeCrate } from './proxied.ts'
import { startProxy } from './upstream-app.ts'

const MiB = 1024 * 1024

/** What another process reads of the counts. */
function reader(storage: ObjectStore): DownloadCounts {
  return createDownloadCounts({
    storage: reliableStorage(storage),
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    now: () => new Date(),
    monotonic: () => performance.now(),
  })
}

/** The versions that were counted once the app has stopped. */
async function countedBy(app: App, name: string): Promise<Readonly<Record<string, number>>> {
  await stopAfterAnswers(app)
  return Object.fromEntries((await reader(app.storage).of(name)).versions)
}

async function published(t: TestContext, ...crates: ReturnType<typeof crateFile>[]): Promise<App> {
  const app = watchAnswers(await startApp(t))
  for (const crate of crates) assert.equal((await app.publish(crate)).status, 200)
  return app
}

test('a whole GET of a crate file counts, for its version', async (t) => {
  const app = await published(t, crateFile('Foo-Bar', '1.0.0'), crateFile('Foo-Bar', '2.0.0'))
  for (const version of ['1.0.0', '2.0.0', '2.0.0'])
    assert.equal((await download(app.url + downloadPath('Foo-Bar', version))).status, 200)
  assert.deepEqual(await countedBy(app, 'foo_bar'), { '1.0.0': 1, '2.0.0': 2 })
})

test('HEAD, a range, 304 and 404 do not count', async (t) => {
  const app = await published(t, crateFile())
  const url = app.url + downloadPath('foo', '1.0.0')
  const head = await download(url, { method: 'HEAD' })
  const etag = String(head.headers.etag)
  const range = { range: 'bytes=0-' }
  const statuses = [
    head.status,
    (await download(url, { headers: range })).status,
    (await download(url, { headers: { 'if-none-match': etag } })).status,
    (await download(app.url + downloadPath('foo', '9.0.0'))).status,
  ]
  assert.deepEqual(statuses, [200, 206, 304, 404])
  assert.deepEqual(await countedBy(app, 'foo'), {})
  assert.deepEqual(await app.stored('downloads/'), [])
})

for (const protocol of ['http', 'https'] as const) {
  test(`a download that the client breaks off does not count, over ${protocol}`, async (t) => {
    const app = await published(t, largeCrate('foo', '1.0.0', 8 * MiB))
    const url = protocol === 'http' ? app.url : await overHttp2(t, app)
    const path = downloadPath('foo', '1.0.0')
    const broken = await download(url + path, { leaveAfter: 1 })
    assert.deepEqual([broken.status, broken.whole], [200, false])
    assert.equal((await download(url + path)).whole, true)
    assert.deepEqual(await countedBy(app, 'foo'), { '1.0.0': 1 })
  })
}

test("an uplink's crate counts when it comes from there, and when it is kept", async (t) => {
  const { app } = await startProxy(t, { uplink: { crates: [crateFile('up', '1.0.0')] } })
  watchAnswers(app)
  for (const _ of [1, 2]) assert.equal((await app.request(downloadPath('up', '1.0.0'))).status, 200)
  assert.deepEqual(await countedBy(app, 'up'), { '1.0.0': 2 })
})

test('what several replicas and a restarted one counted is one sum', async (t) => {
  const storage = memoryStorage()
  const start = async () => watchAnswers(await startApp(t, { host: { storage } }))
  const [one, two] = [await start(), await start()]
  await one.publish(crateFile())
  await one.request(downloadPath('foo', '1.0.0'))
  await stopAfterAnswers(one)
  const again = await start()
  for (const app of [two, again, again]) await app.request(downloadPath('foo', '1.0.0'))
  await Promise.all([two, again].map(stopAfterAnswers))
  const { total, recent, versions } = await reader(storage).of('foo')
  assert.deepEqual([total, recent, [...versions]], [4, 4, [['1.0.0', 4]]])
})

/** The same app over HTTP/2; its own server stays. */
async function overHttp2(t: TestContext, app: App): Promise<string> {
  const { key, cert } = await makeCertificate(await temporaryFolder(t))
  const server = createSecureServer({ key, cert }, (request, response) => {
    app.server.emit('request', request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close())
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}${new URL(app.url).pathname}`
}
