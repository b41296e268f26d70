import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, type TestContext, test } from 'node:test'
import { s3Storage } from '../../src/hosts/s3.ts'
import type { OptionsInput } from '../../src/options.ts'
import { blobKey } from '../../src/registry/keys.ts'
import { content } from '../../src/testing/stored-objects.ts'
import { s3Server } from '../hosts/s3-server.ts'
import { stopAfterAnswers, watchAnswers } from '../http/open-answers.ts'
import { startApp } from '../support/app.ts'
import { type CrateFile, crateFile } from '../support/crate-file.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { startUplink } from '../support/uplink.ts'
import { keysOf } from '../support/watched-store.ts'

const s3 = await s3Server()
after(() => s3.close())

async function registry(t: TestContext, options: OptionsInput = {}): Promise<TestServer> {
  const { storage, environment } = s3.settings()
  return startServer(t, {
    settings: { storage: { s3: { ...storage.s3, redirect: true } } },
    ...{ environment, options },
  })
}

function download(server: TestServer, { name, version }: CrateFile, headers = {}) {
  return fetch(`${server.url}/api/v1/crates/${name}/${version}/download`, { redirect: 'manual', headers })
}

test('a download is redirected to the bucket, for a minute and this once', async (t) => {
  const server = await registry(t)
  const crate = crateFile('stored', '1.0.0+build.1')
  const sha256 = createHash('sha256').update(crate.bytes()).digest('hex')
  await server.seed(crate)
  const answer = await download(server, crate)
  assert.equal(answer.status, 302)
  assert.equal(await answer.text(), '')
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  for (const header of ['etag', 'last-modified', 'accept-ranges'])
    assert.equal(answer.headers.get(header), null, header)
  const location = answer.headers.get('location') ?? ''
  const url = new URL(location)
  assert.equal(url.origin, s3.url)
  assert.ok(url.pathname.endsWith(blobKey(sha256)))
  assert.equal(url.searchParams.get('X-Amz-Expires'), '60')

  const file = await fetch(location)
  assert.deepEqual(Buffer.from(await file.arrayBuffer()), crate.bytes())
  assert.equal(file.headers.get('content-type'), 'application/gzip')
  assert.equal(file.headers.get('content-disposition'), 'attachment; filename="stored-1.0.0+build.1.crate"')
  const part = await fetch(location, { headers: { range: 'bytes=5-14' } })
  assert.equal(part.status, 206)
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), crate.bytes().subarray(5, 15))
  url.searchParams.set('X-Amz-Expires', '6000')
  assert.equal((await fetch(url)).status, 403)
  assert.ok(!server.log.join('').includes('X-Amz-Signature'))
})

test('what is not sent is not redirected, and what may not be read even less', async (t) => {
  const server = await registry(t, { packages: { '**': { access: 'ann', publish: 'ann' } } })
  const crate = crateFile('secret')
  await server.seed(crate)
  const ann = { authorization: 'ann-token' }
  const path = `/api/v1/crates/secret/1.0.0/download`
  const head = await server.send(path, { method: 'HEAD', token: 'ann-token' })
  const etag = head.headers.etag ?? ''
  assert.deepEqual([head.status, head.headers['content-length']], [200, String(crate.bytes().length)])
  assert.equal((await download(server, crate, { ...ann, 'if-none-match': etag })).status, 304)
  assert.equal((await download(server, crate, { ...ann, 'if-none-match': '"other"' })).status, 302)
  assert.equal((await download(server, crate)).status, 401)
  assert.equal((await download(server, crate, { authorization: 'bob-token' })).status, 404)
  assert.equal((await download(server, crateFile('secret', '9.0.0'), ann)).status, 404)
})

test('a redirect counts as a download, one for a range does not; both are in the audit', async (t) => {
  const storage = await s3Storage({ ...s3.options(), redirect: true })
  t.after(() => storage.close())
  const app = watchAnswers(
    await startApp(t, {
      host: { storage },
      options: { admins: ['admins'], audit_downloads: true },
    }),
  )
  await app.publish(crateFile('counted'))
  const path = '/api/v1/crates/counted/1.0.0/download'
  assert.equal((await app.request(path)).status, 302)
  assert.equal((await app.request(path, { headers: { range: 'bytes=0-1' } })).status, 302)
  await until(async () => {
    const { body } = await app.request('/-/audit?kind=download', { as: 'root' })
    return (body as { entries: unknown[] }).entries.length
  }, 2)
  await stopAfterAnswers(app)
  const [day = ''] = await keysOf(storage, 'downloads/')
  assert.match((await content(storage, day))?.toString() ?? '', /"counted":\{"1\.0\.0":1\}/)
  assert.match(await app.metrics.metrics(), /^cargo_downloads_total 1$/m)
})

test('a file of an uplink streams while it is fetched, and is redirected to when it is kept', async (t) => {
  const crate = crateFile('open')
  const uplink = await startUplink(t, { crates: [crate] })
  const server = await registry(t, { uplinks: { up: { url: uplink.url } } })
  const first = await download(server, crate)
  assert.equal(first.status, 200)
  assert.deepEqual(Buffer.from(await first.arrayBuffer()), crate.bytes())
  await until(async () => (await download(server, crate)).status, 302)
  const later = await fetch((await download(server, crate)).headers.get('location') ?? '')
  assert.deepEqual(Buffer.from(await later.arrayBuffer()), crate.bytes())
  assert.equal(uplink.hits(uplink.cratePath('open', '1.0.0')), 1)
})

test('while the bucket is away a download is 503, and no redirect to nowhere', async (t) => {
  const own = await s3Server()
  t.after(() => own.close())
  const { storage, environment } = own.settings()
  const settings = { storage: { s3: { ...storage.s3, redirect: true, timeout: '1s' } } }
  const server = await startServer(t, { settings, environment })
  const crate = crateFile('stored')
  await server.seed(crate)
  await own.close()
  const answer = await download(server, crate)
  assert.equal(answer.status, 503)
  assert.equal(answer.headers.get('location'), null)
})
