import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ObjectStore } from '../../src/host.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import type { OptionsInput } from '../../src/options.ts'
import { encodeChange } from '../../src/protocol/change.ts'
import { changeKey } from '../../src/registry/keys.ts'
import { type App, startApp } from '../support/app.ts'
import { stamp } from '../support/changes.ts'
import { crateFile } from '../support/crate-file.ts'
import { until } from '../support/until.ts'
import { startUplink, type Uplink } from '../support/uplink.ts'
import { watchedStore } from '../support/watched-store.ts'
import { bodyAt, indexOf, startProxy, uplinkOptions, versionsIn } from './upstream-app.ts'

/** Names that are the same name. */
const SPELLINGS = ['acme-core_log', 'acme_core_log', 'acme-core-log', 'ACME-core_LOG', 'Acme_Core-Log']
const [NAME = ''] = SPELLINGS
const PUBLISH = { publish: ['$authenticated'] }

/** An uplink that has a crate of that name, far newer, and an app where it is local. */
async function confused(t: TestContext, storage: ObjectStore = memoryStorage()) {
  const crates = SPELLINGS.slice(0, 3).map((name) => crateFile(name, '99.0.0'))
  const uplink = await startUplink(t, { crates, api: true })
  const options: OptionsInput = {
    uplinks: { up: uplinkOptions(uplink) },
    packages: { '**': { ...PUBLISH, proxy: ['up'], shadow: 'allow' } },
  }
  const app = await startApp(t, { host: { storage }, options })
  assert.equal((await app.publish(crateFile(NAME))).status, 200)
  return { uplink, app, options, storage }
}

/** Everything one can ask for by a name. */
async function askAll(app: App, name: string): Promise<readonly number[]> {
  const crate = `/api/v1/crates/${name}`
  const paths = ['1.0.0/download', '99.0.0/download', 'owners', 'explain', '99.0.0/explain']
  const answers = [
    indexOf(app, name),
    ...paths.map((path) => app.request(`${crate}/${path}`)),
    app.request(`/api/v1/crates?q=${name}`),
    app.request(`/api/v1/crates?q=${encodeURIComponent(`"${name}", log`)}`),
  ]
  return (await Promise.all(answers)).map(({ status }) => status)
}

test('a local name, in any spelling, is never asked for at an uplink', async (t) => {
  const { uplink, app, options, storage } = await confused(t)
  const replica = await startApp(t, { host: { storage }, options })
  for (const one of [app, replica]) {
    for (const name of SPELLINGS) await askAll(one, name)
    assert.deepEqual(versionsIn(await indexOf(one, NAME)), ['1.0.0'])
    assert.equal((await indexOf(one, 'acme-core-log')).status, 404)
    assert.equal((await one.request(`/api/v1/crates/${NAME}/99.0.0/download`)).status, 404)
  }
  assert.equal((await app.publish(crateFile(NAME, '1.1.0'))).status, 200)
  assert.deepEqual(uplink.requests, [])
})

test('a local name stays local after its versions, or the crate, were removed', async (t) => {
  for (const vers of ['1.0.0', undefined]) {
    const { uplink, options, storage } = await confused(t)
    const removal = encodeChange({ kind: 'remove', ...stamp(), ...(vers !== undefined && { vers }) })
    await storage.put(changeKey(NAME, 2), removal, { ifAbsent: true })
    const app = await startApp(t, { host: { storage }, options })
    for (const name of SPELLINGS) {
      const [index, ...downloads] = await askAll(app, name)
      assert.ok(index === 404 || vers !== undefined)
      assert.deepEqual(downloads.slice(0, 2), [404, 404])
      assert.ok(!(await indexOf(app, name)).text.includes('99.0.0'))
    }
    assert.deepEqual(uplink.requests, [])
  }
})

test('a local name is not asked for at an uplink because storage fails', async (t) => {
  const storage = watchedStore()
  const { uplink, options } = await confused(t, storage)
  // One that knows nothing, and so cannot know that the name is local.
  const app = await startApp(t, { host: { storage }, options })
  storage.away(true)
  for (const name of SPELLINGS) {
    assert.deepEqual([...new Set(await askAll(app, name))], [503])
    assert.equal((await app.publish(crateFile(name, '2.0.0'))).status, 503)
  }
  assert.deepEqual(uplink.requests, [])
  storage.away(false)
  assert.deepEqual(versionsIn(await indexOf(app, NAME)), ['1.0.0'])
})

test('a name whose rule has no proxy never leaves the house', async (t) => {
  const crates = SPELLINGS.slice(0, 3).map((name) => crateFile(name, '99.0.0'))
  const uplink = await startUplink(t, { crates, api: true })
  const packages = { 'acme-*': PUBLISH, '**': { ...PUBLISH, proxy: ['up'] } }
  const ruled = await startApp(t, { options: { uplinks: { up: uplinkOptions(uplink) }, packages } })
  for (const name of SPELLINGS) {
    const [index, ...others] = await askAll(ruled, name)
    assert.deepEqual([index, ...others.slice(0, 2)], [404, 404, 404])
    const search = await ruled.request(`/api/v1/crates?q=${name}`)
    assert.deepEqual(search.body, { crates: [], meta: { total: 0, next_page: null, prev_page: null } })
  }
  const published = await ruled.publish(crateFile(NAME).dep('acme_other', '1'))
  assert.equal(published.status, 200)
  // What would be fetched ahead for it is asked for by the same rules.
  for (const name of SPELLINGS) await askAll(ruled, name)
  await ruled.close()
  assert.deepEqual(uplink.requests, [])
})

test('a name that no rule matches never leaves the house', async (t) => {
  const uplink = await startUplink(t, { crates: [crateFile('foo')] })
  const options = { uplinks: { up: uplinkOptions(uplink) }, packages: { 'acme-*': { proxy: ['up'] } } }
  const app = await startApp(t, { options })
  await askAll(app, 'foo')
  assert.deepEqual(uplink.requests, [])
})

test('the crates of a private registry are not looked for at an uplink', async (t) => {
  const registry = 'sparse+https://cargo.example.com/'
  const { uplink } = await startProxy(t, {})
  const app = await startApp(t, {
    options: {
      uplinks: { up: uplinkOptions(uplink) },
      registries: [registry],
      packages: { '**': { ...PUBLISH, proxy: ['up'], shadow: 'allow' } },
    },
  })
  const crate = crateFile('foo').dep('secret', { version: '1', 'registry-index': registry }).dep('serde', '1')
  assert.equal((await app.publish(crate)).status, 200)
  assert.equal((await indexOf(app, 'foo')).status, 200)
  await app.close()
  assert.deepEqual(uplink.hits(uplink.indexPath('secret')), 0)
})

async function twoUplinks(t: TestContext, of: (uplink: Uplink) => object = () => ({})) {
  const one = await startUplink(t, { crates: [crateFile('both', '1.0.0')] })
  const other = await startUplink(t, {
    crates: [crateFile('both', '2.0.0'), crateFile('second', '1.0.0')],
  })
  const uplinks = {
    one: { ...uplinkOptions(one), ...of(one) },
    other: { ...uplinkOptions(other), ...of(other) },
  }
  const packages = { '**': { proxy: ['one', 'other'] } }
  const app = await startApp(t, { options: { prefetch: 0, uplinks, packages } })
  return { one, other, app }
}

test('uplinks are asked in order, and the first that has a crate has it alone', async (t) => {
  const { one, other, app } = await twoUplinks(t)
  assert.equal((await indexOf(app, 'both')).text, bodyAt(one, 'both'))
  assert.equal((await app.request('/api/v1/crates/both/2.0.0/download')).status, 404)
  assert.equal(other.requests.length, 0)
  assert.equal((await indexOf(app, 'second')).text, bodyAt(other, 'second'))
  assert.equal((await app.request('/api/v1/crates/second/1.0.0/download')).status, 200)
  assert.equal((await indexOf(app, 'neither')).status, 404)
})

test('an uplink that is away does not make the next one have its crates', async (t) => {
  for (const fault of ['503', '429', 'html200', 'hang-up', '403'] as const) {
    const { one, other, app } = await twoUplinks(t)
    one.fault(/./, fault)
    for (const path of ['/bo/th/both', '/api/v1/crates/both/2.0.0/download', '/se/co/second'])
      assert.equal((await app.request(path)).status, fault === '429' ? 429 : 503, `${fault} ${path}`)
    assert.equal(other.requests.length, 0)
    one.heal()
  }
})

test('what was fetched of a later uplink is served while an earlier one is away', async (t) => {
  const { one, other, app } = await twoUplinks(t)
  const first = await indexOf(app, 'second')
  assert.equal((await app.request('/api/v1/crates/second/1.0.0/download')).status, 200)
  one.fault(/./, '503')
  other.fault(/./, '503')
  assert.equal((await indexOf(app, 'second')).text, first.text)
  assert.equal((await app.request('/api/v1/crates/second/1.0.0/download')).status, 200)
  assert.equal((await indexOf(app, 'both')).status, 503)
})

test('a proxied index that is known is served for a while when storage is away, and no uplink asked', async (t) => {
  const storage = watchedStore()
  const uplink = await startUplink(t, { crates: [crateFile('foo')] })
  const app = await startApp(t, {
    options: { prefetch: 0, uplinks: { up: uplinkOptions(uplink) } },
    host: { storage },
  })
  const fresh = await indexOf(app, 'foo')
  await until(() => uplink.hits('/index/config.json'), 1)
  await sleep(1_100)
  storage.away(true)
  const asked = uplink.requests.length
  const stale = await indexOf(app, 'foo')
  assert.deepEqual([stale.status, stale.text], [200, fresh.text])
  assert.match(stale.headers.get('cache-status') ?? '', /detail=stale/)
  assert.equal((await indexOf(app, 'bar')).status, 503)
  assert.equal(uplink.requests.length, asked)
})

test('an optional uplink is done without until it has answered once, and never after', async (t) => {
  const storage = memoryStorage()
  const uplink = await startUplink(t, { crates: [crateFile('foo')] })
  await uplink.stop()
  const options = { prefetch: 0, uplinks: { up: uplinkOptions(uplink, { optional: true }) } }
  const app = await startApp(t, { options, host: { storage } })
  assert.equal((await indexOf(app, 'foo')).status, 404)
  assert.equal((await app.request('/api/v1/crates/foo/1.0.0/download')).status, 404)
  assert.equal((await app.publish(crateFile('ours'))).status, 200)
  await uplink.start()
  assert.equal((await indexOf(app, 'foo')).status, 200)
  await uplink.stop()
  assert.equal((await indexOf(app, 'bar')).status, 503)
  const restarted = await startApp(t, { options, host: { storage } })
  assert.equal((await indexOf(restarted, 'bar')).status, 503)
  assert.equal((await indexOf(restarted, 'foo')).status, 200)
})
