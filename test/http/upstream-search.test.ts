import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OptionsInput } from '../../src/options.ts'
import { type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { startUplink, type Uplink } from '../support/uplink.ts'
import { indexOf, uplinkOptions } from './upstream-app.ts'

const SEARCH = '/api/v1/crates'
const RULE = { publish: ['$authenticated'], proxy: ['up'], shadow: 'allow' as const }

interface Found {
  readonly names: readonly string[]
  readonly total: number
}

async function find(app: App, query: string, as?: string): Promise<Found> {
  const { status, body } = await app.request(`${SEARCH}?${query}`, as === undefined ? {} : { as })
  assert.equal(status, 200)
  const { crates, meta } = body as { crates: { name: string }[]; meta: { total: number } }
  return { names: crates.map(({ name }) => name), total: meta.total }
}

function appOver(
  t: Parameters<typeof startApp>[0],
  uplink: Uplink,
  packages: OptionsInput['packages'] = { '**': RULE },
): Promise<App> {
  const options: OptionsInput = { prefetch: 0, uplinks: { up: uplinkOptions(uplink) }, packages }
  return startApp(t, { options })
}

function numbered(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(3, '0')}`)
}

test('search finds local crates first, then those of the uplink, and counts both', async (t) => {
  const uplink = await startUplink(t, {
    crates: [crateFile('log', '0.4.0'), crateFile('catalog')],
    api: true,
  })
  const app = await appOver(t, uplink)
  for (const name of ['log-tools', 'my-log']) await app.publish(crateFile(name))
  const { body } = await app.request(`${SEARCH}?q=log`)
  const { crates, meta } = body as { crates: Readonly<Record<string, unknown>>[]; meta: { total: number } }
  // As the term names no local crate, the uplink is asked.
  assert.deepEqual(
    crates.map(({ name, max_version, description, exact_match }) => [
      ...[name, max_version, description, exact_match],
    ]),
    [
      ['log-tools', '1.0.0', 'The crate log-tools', false],
      ['my-log', '1.0.0', 'The crate my-log', false],
      ['log', '0.4.0', 'The crate log', true],
      ['catalog', '1.0.0', 'The crate catalog', false],
    ],
  )
  assert.equal(meta.total, 4)
})

test('search pages over local crates and those of the uplink as over one list', async (t) => {
  const theirs = numbered('b', 130)
  const uplink = await startUplink(t, { crates: theirs.map((name) => crateFile(name)), api: true })
  const app = await appOver(t, uplink)
  const ours = ['xb1', 'xb2', 'xb3']
  for (const name of ours) await app.publish(crateFile(name))
  const all = [...ours, ...theirs]
  for (const perPage of [0, 1, 2, 7, 10, 64, 100]) {
    for (const page of [1, 2, 3, 5]) {
      const expected = all.slice((page - 1) * perPage, page * perPage)
      const found = await find(app, `q=b&per_page=${perPage}&page=${page}`)
      assert.deepEqual(found, { names: expected, total: 133 }, `${perPage} ${page}`)
    }
  }
  const most = Math.max(...uplink.requests.map(({ path }) => Number(/per_page=(\d+)/.exec(path)?.[1] ?? 0)))
  assert.equal(most, 100)
})

test('search pages over several uplinks, in their order', async (t) => {
  const [ones, others] = [numbered('a', 15), numbered('aa', 12)]
  const one = await startUplink(t, { crates: ones.map((name) => crateFile(name)), api: true })
  const other = await startUplink(t, { crates: others.map((name) => crateFile(name)), api: true })
  const uplinks = { one: uplinkOptions(one), other: uplinkOptions(other) }
  const app = await startApp(t, { options: { uplinks, packages: { '**': { proxy: ['one', 'other'] } } } })
  const all = [...ones, ...others]
  for (const page of [1, 2, 3, 4]) {
    const expected = all.slice((page - 1) * 10, page * 10)
    assert.deepEqual(await find(app, `q=a&page=${page}`), { names: expected, total: 27 })
  }
  for (const name of ['aa003', 'aa004']) await indexOf(app, name)
  await other.stop()
  assert.deepEqual(await find(app, 'q=a&page=2'), {
    names: [...ones.slice(10), 'aa003', 'aa004'],
    total: 17,
  })
})

test('search finds what is kept when the uplink is away, has no web API, or is not to be asked', async (t) => {
  for (const how of ['away', 'no api', 'offline', '500', 'html200', '429'] as const) {
    const crates = ['foo', 'food', 'other', 'foo-never-asked-for'].map((name) => crateFile(name))
    const uplink = await startUplink(t, { crates, api: how !== 'no api' })
    const app = await appOver(t, uplink)
    for (const name of ['foo', 'food', 'other']) await indexOf(app, name)
    await app.publish(crateFile('barfoo'))
    if (how === 'away') await uplink.stop()
    else if (how !== 'no api' && how !== 'offline') uplink.fault(SEARCH, how)
    const { storage } = app
    const options = { prefetch: 0, offline: how === 'offline', uplinks: { up: uplinkOptions(uplink) } }
    const later = await startApp(t, { host: { storage }, options })
    for (const one of how === 'offline' ? [later] : [app, later]) {
      assert.deepEqual(await find(one, 'q=foo'), { names: ['barfoo', 'foo', 'food'], total: 3 }, how)
      assert.deepEqual(await find(one, 'q=foo&per_page=1&page=2'), { names: ['foo'], total: 3 }, how)
      assert.deepEqual(await find(one, 'q=foo&per_page=0'), { names: [], total: 3 }, how)
    }
  }
})

test('a search without terms lists what is here, and asks nobody', async (t) => {
  const uplink = await startUplink(t, { crates: [crateFile('foo'), crateFile('bar')], api: true })
  const app = await appOver(t, uplink)
  await indexOf(app, 'foo')
  await app.publish(crateFile('mine'))
  assert.deepEqual(await find(app, ''), { names: ['mine', 'foo'], total: 2 })
  assert.equal(uplink.hits(SEARCH), 0)
})

test('terms that name a local crate, or one that no uplink may have, do not leave the house', async (t) => {
  const uplink = await startUplink(t, { crates: [crateFile('foo')], api: true })
  const app = await appOver(t, uplink, { 'acme-*': { publish: ['$all'] }, '**': RULE })
  await app.publish(crateFile('Secret-Thing'))
  const terms = [
    'secret_thing',
    'SECRET-THING',
    'acme_x',
    'Acme-Y',
    '"secret-thing"',
    '(acme-z)',
    'acme-x@1.0',
    'foo,acme-x',
  ]
  for (const term of terms) {
    for (const q of [term, `foo ${term}`])
      assert.equal((await app.request(`${SEARCH}?q=${encodeURIComponent(q)}`)).status, 200)
  }
  assert.equal(uplink.hits(SEARCH), 0)
  await find(app, 'q=foo+bar')
  const [asked] = uplink.requests.filter(({ path }) => path.startsWith(SEARCH))
  assert.equal(asked?.path, `${SEARCH}?q=foo+bar&per_page=10&page=1`)
})

test('search shows nothing of the uplink that is local, denied, without proxy, or not to be read', async (t) => {
  const names = ['foo-local', 'foo-denied', 'foo-house', 'foo-secret', 'foo-open']
  const uplink = await startUplink(t, { crates: names.map((name) => crateFile(name)), api: true })
  const app = await appOver(t, uplink, {
    'foo-house': { publish: ['$authenticated'] },
    'foo-secret': { access: ['rust-team'], proxy: ['up'] },
    '**': { ...RULE, deny: ['foo_denied'] },
  })
  await app.publish(crateFile('Foo_Local', '0.1.0'))
  for (const name of ['foo-open', 'foo-secret']) await app.request(`/fo/o-/${name}`, { as: 'ann' })
  for (const isAway of [false, true]) {
    if (isAway) await uplink.stop()
    assert.deepEqual((await find(app, 'q=foo', 'bob')).names, ['Foo_Local', 'foo-open'], String(isAway))
    const ann = (await find(app, 'q=foo', 'ann')).names
    assert.deepEqual(ann.toSorted(), ['Foo_Local', 'foo-open', 'foo-secret'])
  }
})

test('search waits for an uplink that is silent no longer than it allows', async (t) => {
  const uplink = await startUplink(t, { crates: [crateFile('foo')], api: true })
  const app = await appOver(t, uplink)
  await indexOf(app, 'foo')
  uplink.fault(SEARCH, 'silent')
  const startedAt = performance.now()
  assert.deepEqual(await find(app, 'q=foo'), { names: ['foo'], total: 1 })
  assert.ok(performance.now() - startedAt < 5_000)
})
