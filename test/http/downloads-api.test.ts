import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { downloadPath, settled } from './proxied.ts'
import { startProxy } from './upstream-app.ts'

const FOO = '/api/v1/crates/foo'

/** Another replica, once the first has stored what it counted; a client may be faster than the end of an answer. */
async function later(t: TestContext, first: App, options?: object): Promise<App> {
  await first.close()
  return startApp(t, { host: { storage: first.storage }, ...options })
}

async function downloadTimes(app: App, version: string, times: number): Promise<void> {
  for (let n = 0; n < times; n++) assert.equal((await app.request(downloadPath('foo', version))).status, 200)
}

interface Counted {
  readonly crate: { readonly downloads: number; readonly recent_downloads: number }
  readonly versions: readonly { readonly id: number; readonly num: string; readonly downloads: number }[]
}

async function countsIn(app: App) {
  const { crate, versions } = (await app.request(FOO)).body as Counted
  const { downloads, recent_downloads } = crate
  return { downloads, recent_downloads, versions: versions.map((one) => `${one.num} ${one.downloads}`) }
}

test('downloads are told with the crate, with its versions, and by day', async (t) => {
  const first = await startApp(t)
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) await first.publish(crateFile('foo', version))
  await downloadTimes(first, '1.0.0', 2)
  await downloadTimes(first, '1.1.0', 3)
  const app = await later(t, first)
  const expected = { downloads: 5, recent_downloads: 5, versions: ['1.2.0 0', '1.1.0 3', '1.0.0 2'] }
  await settled(() => countsIn(app), expected)
  const { versions } = (await app.request(FOO)).body as Counted
  const [, { id: second } = { id: 0 }, { id: oldest } = { id: 0 }] = versions
  const { body } = await app.request(`${FOO}/downloads`)
  const { version_downloads, meta } = body as { version_downloads: { date: string }[]; meta: object }
  const date = version_downloads[0]?.date ?? ''
  assert.match(date, /^\d{4}-\d\d-\d\d$/)
  assert.deepEqual(version_downloads, [
    { version: second, downloads: 3, date },
    { version: oldest, downloads: 2, date },
  ])
  assert.deepEqual(meta, { extra_downloads: [] })
  assert.deepEqual((await app.request(`${FOO}/1.0.0/downloads`)).body, {
    version_downloads: [{ version: oldest, downloads: 2, date }],
  })
  assert.deepEqual((await app.request(`${FOO}/1.0.0/downloads?before_date=2020-01-01`)).body, {
    version_downloads: [],
  })
  const bad = await app.request(`${FOO}/1.0.0/downloads?before_date=soon`)
  assert.equal(bad.status, 400)
  assert.deepEqual(bad.body, {
    errors: [{ detail: 'invalid before_date `soon`: must be a day, `2026-01-31`' }],
  })
})

test('downloads of a proxied crate are those through this registry', async (t) => {
  const { app: first, uplink } = await startProxy(t, { uplink: { crates: [crateFile('foo')], api: true } })
  await downloadTimes(first, '1.0.0', 2)
  const options = { prefetch: 0, uplinks: { up: { url: uplink.url } } }
  const app = await later(t, first, { options })
  await settled(() => countsIn(app), { downloads: 2, recent_downloads: 2, versions: ['1.0.0 2'] })
})

test('downloads of a crate that may not be read, or is not there, are those of none', async (t) => {
  const options = { packages: { secret: { access: ['rust-team'], publish: ['rust-team'] }, '**': {} } }
  const app = await startApp(t, { options })
  await app.publish(crateFile('secret'))
  for (const name of ['secret', 'not-there']) {
    for (const path of ['downloads', '1.0.0/downloads']) {
      const { status, body } = await app.request(`/api/v1/crates/${name}/${path}`, { as: 'bob' })
      assert.equal(status, 404)
      assert.deepEqual(body, { errors: [{ detail: `crate \`${name}\` does not exist` }] })
    }
  }
})
