import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import type { ObjectStore } from '../../src/host.ts'
import { createAuth } from '../../src/hosts/auth.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { createToken } from '../../src/hosts/tokens.ts'
import type { OptionsInput } from '../../src/options.ts'
import { encodeDownloadRecords } from '../../src/protocol/download-record.ts'
import { trailKey } from '../../src/registry/keys.ts'
import { type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { download } from '../support/download.ts'
import { keysOf } from '../support/watched-store.ts'
import { stopAfterAnswers, watchAnswers } from './open-answers.ts'
import { downloadPath, largeCrate } from './proxied.ts'
import { startProxy } from './upstream-app.ts'

const OPTIONS: OptionsInput = { admins: ['admins'], audit_downloads: true }
const PATH = downloadPath('foo', '1.0.0')

interface Entry {
  readonly crate: string
  readonly version: string
  readonly by?: string
  readonly at: string
}

/** What another process tells an administrator of downloads, page by page. */
async function audited(t: TestContext, storage: ObjectStore, query = ''): Promise<readonly Entry[]> {
  const reader = await startApp(t, { options: { admins: ['admins'] }, host: { storage } })
  const entries: Entry[] = []
  let after: string | undefined
  do {
    const from = after === undefined ? '' : `&after=${after}`
    const { status, text, body } = await reader.request(`/-/audit?kind=download${query}${from}`, {
      as: 'root',
    })
    assert.equal(status, 200, text)
    const page = body as { entries: Entry[]; meta: { next?: string } }
    entries.push(...page.entries)
    after = page.meta.next
  } while (after !== undefined)
  await reader.close()
  return entries
}

async function published(t: TestContext, options: OptionsInput = OPTIONS): Promise<App> {
  const app = watchAnswers(await startApp(t, { options }))
  await app.publish(crateFile())
  return app
}

test('who downloaded what, and a part of what, is told to administrators', async (t) => {
  const app = await published(t)
  for (const as of ['ann', 'bob']) await app.request(PATH, { as })
  await app.request(PATH, { headers: { range: 'bytes=0-9' } })
  await stopAfterAnswers(app)
  const entries = await audited(t, app.storage)
  for (const { at } of entries) assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000)
  const entry = { kind: 'download', crate: 'foo', version: '1.0.0' }
  assert.deepEqual(
    entries.map(({ at: _, ...rest }) => rest),
    [{ ...entry, by: 'ann' }, { ...entry, by: 'bob' }, entry].map((it) => ({ ...it, address: '127.0.0.1' })),
  )
  assert.deepEqual(
    (await audited(t, app.storage, '&by=bob')).map(({ by }) => by),
    ['bob'],
  )
  assert.deepEqual(await audited(t, app.storage, '&crate=bar'), [])
  assert.deepEqual(
    app.events.map(({ kind }) => kind),
    ['publish'],
  )
})

test('what brought no bytes, or not all that was asked for, is no download', async (t) => {
  const app = watchAnswers(await startApp(t, { options: OPTIONS }))
  await app.publish(largeCrate('foo', '1.0.0', 8 * 1024 * 1024))
  const { headers } = await download(app.url + PATH, { method: 'HEAD' })
  const statuses = [
    (await download(app.url + PATH, { headers: { 'if-none-match': String(headers.etag) } })).status,
    (await download(app.url + PATH, { headers: { range: 'bytes=999999999-' } })).status,
    (await download(app.url + downloadPath('bar', '1.0.0'))).status,
    (await download(app.url + PATH, { leaveAfter: 1 })).status,
  ]
  assert.deepEqual(statuses, [304, 416, 404, 200])
  await stopAfterAnswers(app)
  assert.deepEqual(await keysOf(app.storage, 'audit/'), [])
})

test("an uplink's crate is audited as a local one is", async (t) => {
  const { app } = await startProxy(t, {
    uplink: { crates: [crateFile('up')] },
    options: { ...OPTIONS, packages: { '**': { proxy: ['up'] } } },
  })
  watchAnswers(app)
  assert.equal((await app.request(downloadPath('up', '1.0.0'), { as: 'ann' })).status, 200)
  await stopAfterAnswers(app)
  assert.deepEqual(
    (await audited(t, app.storage, '&crate=UP')).map(({ crate, by }) => [crate, by]),
    [['up', 'ann']],
  )
})

test('nothing is kept of downloads unless that is wanted', async (t) => {
  const app = await published(t, { admins: ['admins'] })
  await app.request(PATH, { as: 'ann' })
  await stopAfterAnswers(app)
  assert.deepEqual(await keysOf(app.storage, 'audit/'), [])
  assert.deepEqual(await audited(t, app.storage), [])
})

test('the audit names tokens and has none of their text', async (t) => {
  const storage = memoryStorage()
  const auth = createAuth({ store: storage })
  const [admin, user] = [
    await createToken(storage, { user: 'admin', groups: ['admins'] }),
    await createToken(storage, { user: 'ann', groups: [] }),
  ]
  const app = watchAnswers(await startApp(t, { options: OPTIONS, host: { storage, auth } }))
  await app.publish(crateFile(), user.token)
  await app.request(PATH, { as: user.token })
  await stopAfterAnswers(app)
  const again = await startApp(t, { options: OPTIONS, host: { storage, auth } })
  const told = await Promise.all(
    ['', '?kind=download'].map((query) => again.request(`/-/audit${query}`, { as: admin.token })),
  )
  for (const { body } of told)
    assert.equal((body as { entries: { tokenId: string }[] }).entries[0]?.tokenId, user.record.id)
  const all = told.map((answer) => answer.text)
  for (const key of await keysOf(storage)) {
    const object = await storage.get(key)
    if (object !== undefined && /^(audit|downloads|crates)\//.test(key)) all.push(await text(object.body))
  }
  assert.ok(all.length >= 5)
  for (const it of all)
    assert.ok(!it.includes(user.token) && !it.includes(user.token.slice('vcargo_'.length)))
})

test('pages of any size are together all downloads, the days in order', async (t) => {
  const storage = memoryStorage()
  const wanted: string[] = []
  const replica = (n: number) => `00000000-0000-4000-8000-00000000000${n}`
  for (const day of ['2026-01-30', '2026-01-31', '2026-02-01'])
    for (const process of [1, 2])
      for (const batch of [1, 2, 3]) {
        const records = Array.from({ length: 5 }, (_, n) => {
          const version = `${process}.${batch}.${n}`
          wanted.push(`${day} ${version}`)
          return { crate: n % 2 ? 'foo' : 'Bar', version, by: 'ann', at: `${day}T12:00:00.000Z` }
        })
        await storage.put(trailKey(day, replica(process), batch), encodeDownloadRecords(records))
      }
  const found = async (query: string) =>
    (await audited(t, storage, query)).map(({ at, version }) => `${at.slice(0, 10)} ${version}`)
  for (const size of [1000, 89, 7, 5, 1])
    assert.deepEqual(await found(`&per_page=${size}`), wanted, `${size}`)
  const second = wanted.filter((it) => it.startsWith('2026-01-31'))
  assert.deepEqual(await found('&since=2026-01-31&until=2026-02-01&per_page=4'), second)
  assert.deepEqual(await found('&since=2026-01-31T12:00:00.001Z&until=2026-02-01T12:00:00Z'), [])
  assert.equal((await found('&crate=bar&per_page=10')).length, 54)
  // Old days may be deleted as folders, also while somebody reads.
  for (const key of await keysOf(storage, 'audit/downloads/2026-01-30/')) await storage.delete(key)
  const next = `2026-01-30/${replica(1)}-00000001/3`
  assert.deepEqual(await found(`&after=${next}`), wanted.slice(30))
})

test('a damaged batch is left out with an entry in the log', async (t) => {
  const app = await published(t)
  await app.request(PATH)
  await app.storage.put(trailKey('2026-01-01', '00000000-0000-4000-8000-000000000000', 1), Buffer.from('{}'))
  await stopAfterAnswers(app)
  const reader = await startApp(t, { options: OPTIONS, host: { storage: app.storage } })
  const { body } = await reader.request('/-/audit?kind=download', { as: 'root' })
  assert.equal((body as { entries: Entry[] }).entries.length, 1)
  const message = 'integrity: a batch of the download audit is damaged and is left out'
  assert.deepEqual(
    reader.errors.map((error) => error.message),
    [message],
  )
})

test('while the audit cannot be stored downloads go on, and nothing is lost once it can', async (t) => {
  const inner = memoryStorage()
  let isAway = false
  const storage: ObjectStore = {
    ...inner,
    async put(key, ...rest) {
      if (isAway && key.startsWith('audit/')) throw new Error('the store is away')
      return inner.put(key, ...rest)
    },
  }
  const app = watchAnswers(await startApp(t, { options: OPTIONS, host: { storage } }))
  await app.publish(crateFile())
  isAway = true
  for (let n = 0; n < 1200; n++) assert.equal((await app.request(PATH)).status, 200)
  assert.deepEqual(await keysOf(inner, 'audit/'), [])
  isAway = false
  await stopAfterAnswers(app)
  assert.equal((await audited(t, inner, '&per_page=1000')).length, 1200)
  assert.deepEqual(app.errors, [])
})
