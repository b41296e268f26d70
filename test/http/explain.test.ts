import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OptionsInput } from '../../src/options.ts'
import type { Explanation } from '../../src/protocol/explanation.ts'
import { type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { startUplink } from '../support/uplink.ts'
import { indexOf, uplinkOptions } from './upstream-app.ts'

type Context = Parameters<typeof startApp>[0]

async function explain(app: App, path: string, as?: string): Promise<Explanation> {
  const answer = await app.request(`/api/v1/crates/${path}/explain`, as === undefined ? {} : { as })
  assert.equal(answer.status, 200, path)
  assert.equal(answer.headers.get('cache-control'), 'no-cache')
  return answer.body as Explanation
}

async function explained(t: Context, more: Partial<OptionsInput> = {}) {
  const uplink = await startUplink(t, { crates: [crateFile('foo'), crateFile('foo', '1.1.0')] })
  const app = await startApp(t, {
    options: {
      prefetch: 0,
      admins: ['root'],
      uplinks: { up: uplinkOptions(uplink) },
      packages: { 'acme-*': { publish: ['$authenticated'] }, '**': { proxy: ['up'] } },
      ...more,
    },
  })
  return { uplink, app }
}

test('explain tells of a local crate who published it, and asks no uplink', async (t) => {
  const { uplink, app } = await explained(t)
  await app.publish(crateFile('acme-log'))
  const crate = await explain(app, 'ACME_log')
  assert.deepEqual(crate, {
    crate: 'acme-log',
    explanation:
      'Crate `acme-log` is local: it was published here, so no uplink is ever asked for it (rule `acme-*` applies).',
    source: 'local',
    rule: 'acme-*',
    proxy: [],
  })
  const { verdict } = await explain(app, 'acme-log/1.0.0')
  assert.match(verdict?.reason ?? '', /^it was published by `ann` at \d{4}-/)
  assert.deepEqual([verdict?.served, verdict?.yanked, verdict?.stored], [true, false, true])
  await app.request('/api/v1/crates/acme-log/1.0.0/yank', { method: 'DELETE', as: 'ann' })
  assert.match(
    (await explain(app, 'acme-log/1.0.0')).explanation,
    /is served as yanked: .* and yanked since\.$/,
  )
  assert.match((await explain(app, 'acme-log/9.0.0')).explanation, /There is no version `9\.0\.0`\.$/)
  assert.deepEqual(uplink.requests, [])
})

test('explain names no uplink of a local crate, although its rule has one', async (t) => {
  const rule = { proxy: ['up'], publish: ['$authenticated'] }
  const { app } = await explained(t, { packages: { '**': rule } })
  await app.publish(crateFile('own'))
  const { source, proxy } = await explain(app, 'own')
  assert.deepEqual({ source, proxy }, { source: 'local', proxy: [] })
})

test('explain tells of a crate of an uplink how old the copy is, and what is stored', async (t) => {
  const { app } = await explained(t)
  const { copy, explanation, ...rest } = await explain(app, 'foo/1.0.0')
  assert.deepEqual(rest, {
    crate: 'foo',
    version: '1.0.0',
    source: 'uplink',
    rule: '**',
    proxy: [{ name: 'up', asked: true }],
    uplink: 'up',
    verdict: { served: true, yanked: false, reason: 'no rule keeps it back', stored: false },
  })
  assert.deepEqual([copy?.versions, copy?.age, copy?.stale], [2, 0, false])
  assert.equal(
    explanation,
    'Crate `foo` comes from uplink `up` (rule `**` applies). The copy of its index file was confirmed 0 s ago and is fresh. Version `1.0.0` is served: no rule keeps it back.',
  )
  assert.equal((await app.request('/api/v1/crates/foo/1.0.0/download')).status, 200)
  assert.equal((await explain(app, 'foo/1.0.0')).verdict?.stored, true)
})

test('explain tells why there is no newer copy: the last error of the uplink, or what was not believed', async (t) => {
  const { uplink, app } = await explained(t)
  await indexOf(app, 'foo')
  uplink.fault(uplink.indexPath('foo'), { mode: 'removed-line', line: 0 })
  const conflict = await explain(app, 'foo')
  assert.equal(conflict.copy?.problem, 'version `foo@1.0.0` is gone from its index file')
  assert.match(conflict.explanation, /a newer one was not taken over: version `foo@1\.0\.0` is gone/)
  await uplink.stop()
  const away = await explain(app, 'foo')
  assert.equal(away.copy?.problem, 'uplink `up` refuses connections')
  assert.equal(away.copy?.stale, true)
  const [up] = away.proxy
  assert.equal(up?.last_error?.message, 'uplink `up` refuses connections')
  assert.ok(Math.abs(Date.parse(up?.last_error?.at ?? '') - Date.now()) < 10_000)
})

test('explain tells that it cannot be known, and why', async (t) => {
  const { uplink, app } = await explained(t)
  uplink.fault(uplink.indexPath('foo'), 'html200')
  const garbage = await explain(app, 'foo')
  assert.equal(garbage.source, 'unknown')
  assert.match(
    garbage.explanation,
    /^Whether there is a crate `foo` is not known: index file of `foo`: invalid index line 1/,
  )
  await uplink.stop()
  const { source, explanation, proxy } = await explain(app, 'foo/1.0.0')
  assert.equal(source, 'unknown')
  assert.match(explanation, /is not known: uplink `up` refuses connections \(rule `\*\*` applies\)/)
  assert.equal(proxy[0]?.last_error?.message, 'uplink `up` refuses connections')
})

test('explain tells of an uplink that is left alone, and that is not to be asked at all', async (t) => {
  const { uplink, app } = await explained(t)
  const options = (up: object) => ({ uplinks: { up: uplinkOptions(uplink, up) } })
  await uplink.stop()
  const tired = await startApp(t, { options: options({ max_fails: 1 }) })
  await indexOf(tired, 'foo')
  const left = await explain(tired, 'foo')
  assert.equal(left.proxy[0]?.asked, false)
  assert.match(left.explanation, /uplink `up` is left alone for a while: it refuses connections/)
  const offline = await startApp(t, { options: { ...options({}), offline: true } })
  assert.match((await explain(offline, 'foo')).explanation, /uplink `up` is not asked: `offline` is set/)
  assert.equal((await explain(app, 'foo')).proxy[0]?.asked, true)
})

test('explain tells admins why there is nothing; to others it does not exist', async (t) => {
  const { app } = await explained(t)
  const none = await explain(app, 'nothing', 'root')
  assert.deepEqual([none.source, none.proxy.length], ['none', 1])
  assert.equal(
    none.explanation,
    'There is no crate `nothing`, neither here nor at uplink `up` (rule `**` applies).',
  )
  assert.match(
    (await explain(app, 'acme-x', 'root')).explanation,
    /no uplink may be asked for it \(rule `acme-\*` applies\)/,
  )
  for (const name of ['nothing', 'acme-x']) {
    const { status, body } = await app.request(`/api/v1/crates/${name}/explain`)
    assert.deepEqual([status, body], [404, { errors: [{ detail: `crate \`${name}\` does not exist` }] }])
  }
})

test('explain answers for crates that may not be read as for crates that do not exist', async (t) => {
  const { uplink, app } = await explained(t, {
    packages: {
      'secret-*': { access: ['rust-team'], publish: ['rust-team'] },
      'hidden-*': { access: ['rust-team'], proxy: ['up'] },
      '**': { proxy: ['up'] },
    },
  })
  await app.publish(crateFile('secret-there'))
  uplink.publish(crateFile('hidden-there'))
  const [name = '', ...others] = ['missing-one', 'secret-there', 'secret-none', 'hidden-there', 'hidden-none']
  for (const version of ['', '/1.0.0']) {
    const ask = (crate: string) => app.request(`/api/v1/crates/${crate}${version}/explain`, { as: 'bob' })
    const missing = await ask(name)
    assert.equal(missing.status, 404)
    for (const other of others) {
      const { status, text, headers } = await ask(other)
      assert.deepEqual([status, text], [404, missing.text.replace(name, other)])
      const headersOf = (of: Headers) =>
        [...of].filter(([header]) => !['date', 'content-length'].includes(header))
      assert.deepEqual(headersOf(headers), headersOf(missing.headers))
    }
  }
  assert.equal(uplink.hits(/hidden|secret/), 0)
  assert.equal((await explain(app, 'secret-there', 'ann')).source, 'local')
  assert.equal((await explain(app, 'hidden-there', 'root')).source, 'uplink')
})

test('explain fails as everything does while storage is away', async (t) => {
  const { app } = await explained(t)
  await indexOf(app, 'foo')
  const broken = await startApp(t, {
    host: {
      storage: {
        ...app.storage,
        stat: async () => {
          throw new Error('the store is away')
        },
      },
    },
  })
  assert.equal((await broken.request('/api/v1/crates/foo/explain')).status, 503)
})
