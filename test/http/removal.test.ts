import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { memoryStorage } from '../../src/hosts/memory.ts'
import type { OptionsInput } from '../../src/options.ts'
import { type Answer, type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { startUplink } from '../support/uplink.ts'
import { uplinkOptions } from './upstream-app.ts'

/** Ann and bob may remove what they own; root may remove everything. */
const OPEN = {
  'kept*': { publish: ['ann'] },
  '**': { publish: ['ann', 'bob'], unpublish: ['ann', 'bob'] },
}
/** Bob's rule gives him the right to remove secret crates, but not to read them. */
const SECRET = { 'secret*': { access: ['ann'], publish: ['ann'], unpublish: ['ann', 'bob'] } }

const REMOVED = { ok: true, msg: 'crate `foo` is removed: its name is never used again' }
const remove = (app: App, path: string, as?: string) =>
  app.request(`/api/v1/crates/${path}`, { method: 'DELETE', ...(as !== undefined && { as }) })
const detail = ({ body }: Answer) =>
  (body as { errors?: { detail: string }[] } | undefined)?.errors?.map((error) => error.detail).join()
const kinds = (app: App) => app.events.map(({ kind }) => kind)

async function published(t: TestContext, versions: readonly string[], more = {}): Promise<App> {
  const options: OptionsInput = { admins: ['admins'], packages: { ...more, ...OPEN } }
  const app = await startApp(t, { options })
  for (const version of versions) assert.equal((await app.publish(crateFile('foo', version))).status, 200)
  return app
}

test('a version that is removed is gone everywhere, and its number stays taken', async (t) => {
  const app = await published(t, ['1.0.0', '2.0.0'])
  const before = (await app.request('/3/f/foo')).headers.get('etag')
  const { status, body } = await remove(app, 'foo/2.0.0', 'ann')
  assert.equal(status, 200)
  assert.deepEqual(body, {
    ok: true,
    msg: 'crate version `foo@2.0.0` is removed: its number is never used again',
  })
  const index = await app.request('/3/f/foo')
  assert.deepEqual(
    index.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).vers),
    ['1.0.0'],
  )
  assert.notEqual(index.headers.get('etag'), before)
  assert.equal((await app.request('/api/v1/crates/foo/2.0.0/download')).status, 404)
  assert.equal((await app.request('/api/v1/crates/foo/1.0.0/download')).status, 200)
  const hits = (await app.request('/api/v1/crates?q=foo')).body as { crates: { max_version: string }[] }
  assert.equal(hits.crates[0]?.max_version, '1.0.0')
  for (const version of ['2.0.0', '2.0.0+again']) {
    const again = await app.publish(crateFile('foo', version))
    assert.equal(again.status, 409)
    assert.equal(
      detail(again),
      `crate version \`foo@${version}\` was removed: its number cannot be used again`,
    )
  }
  for (const verb of ['yank', 'unyank'] as const) {
    const method = verb === 'yank' ? 'DELETE' : 'PUT'
    assert.equal((await app.request(`/api/v1/crates/foo/2.0.0/${verb}`, { method, as: 'ann' })).status, 404)
  }
  const explained = await app.request('/api/v1/crates/foo/2.0.0/explain')
  assert.match(explained.text, /is not served: it was removed, and its number stays taken\./)
})

test('a crate that is removed is as one that never was, but its name stays taken for everybody', async (t) => {
  const app = await published(t, ['1.0.0', '2.0.0'])
  assert.deepEqual((await remove(app, 'foo', 'ann')).body, REMOVED)
  for (const path of [
    '/3/f/foo',
    ...['1.0.0/download', 'owners'].map((rest) => `/api/v1/crates/foo/${rest}`),
  ]) {
    const answer = await app.request(path, { as: 'ann' })
    assert.equal(answer.status, 404, path)
    assert.equal(detail(answer), 'crate `foo` does not exist')
  }
  const found = await app.request('/api/v1/crates?q=foo')
  assert.deepEqual(found.body, { crates: [], meta: { total: 0, next_page: null, prev_page: null } })
  for (const [name, as] of [
    ['foo', 'ann'],
    ['FOO', 'bob'],
  ] as const) {
    const again = await app.publish(crateFile(name, '9.0.0'), as)
    assert.equal(again.status, 409)
    assert.equal(detail(again), 'crate `foo` was removed: its name cannot be used again')
  }
  const owners = await app.request('/api/v1/crates/foo/owners', {
    method: 'PUT',
    as: 'ann',
    body: { users: ['bob'] },
  })
  assert.equal(owners.status, 404)
  assert.match(
    (await app.request('/api/v1/crates/foo/explain')).text,
    /was published here and removed: its name/,
  )
})

test('a removal is a change with an event, once', async (t) => {
  const app = await published(t, ['1.0.0', '2.0.0', '3.0.0'])
  for (const path of ['foo/2.0.0', 'foo/2.0.0', 'foo', 'foo', 'foo/1.0.0', 'foo/2.0.0'])
    assert.equal((await remove(app, path, 'ann')).status, 200, path)
  assert.equal((await app.stored('crates/')).length, 5)
  const events = app.events.filter(({ kind }) => kind === 'remove').map(({ at: _, ...event }) => event)
  const who = { kind: 'remove', crate: 'foo', by: 'ann', tokenId: undefined }
  assert.deepEqual(events, [
    { ...who, version: '2.0.0' },
    { ...who, detail: { versions: ['1.0.0', '3.0.0'] } },
  ])
})

test('after the last version was removed the crate is gone for readers, and its owners may begin anew', async (t) => {
  const app = await published(t, ['1.0.0'])
  assert.equal((await remove(app, 'foo/1.0.0', 'ann')).status, 200)
  assert.equal((await app.request('/3/f/foo')).status, 404)
  assert.equal((await app.request('/api/v1/crates/foo/1.0.0/download')).status, 404)
  const found = await app.request('/api/v1/crates?q=foo')
  assert.deepEqual(found.body, { crates: [], meta: { total: 0, next_page: null, prev_page: null } })
  assert.equal((await app.publish(crateFile('foo', '2.0.0'), 'bob')).status, 403)
  assert.equal((await app.publish(crateFile('foo', '1.0.0'))).status, 409)
  assert.equal((await app.publish(crateFile('foo', '2.0.0'))).status, 200)
  assert.equal(JSON.parse((await app.request('/3/f/foo')).text).vers, '2.0.0')
})

test('who may not remove is refused, and nothing changes', async (t) => {
  const app = await published(t, ['1.0.0'], SECRET)
  for (const name of ['secret', 'kept']) assert.equal((await app.publish(crateFile(name))).status, 200)
  const before = await app.stored()
  const noOwner = 'user `bob` is not an owner of `foo`: ask `ann` for `cargo owner --add bob`'
  const noRight = (user: string, name: string) =>
    `user \`${user}\` may not remove crate \`${name}\`: the access rules or the token's scopes do not allow it`
  const cases: readonly (readonly [string, string | undefined, number, string])[] = [
    ['foo', undefined, 401, 'this registry needs a login: run `cargo login` with a token of this registry'],
    ['foo', 'bob', 403, noOwner],
    ['foo', 'reader', 403, noRight('reader', 'foo')],
    ['kept', 'ann', 403, noRight('ann', 'kept')],
    ['secret', 'bob', 404, 'crate `secret` does not exist'],
    ['secret', 'reader', 404, 'crate `secret` does not exist'],
    ['missing', 'ann', 404, 'crate `missing` does not exist'],
    ['Foo', 'ann', 404, 'crate `Foo` does not exist'],
  ]
  for (const [name, as, status, expected] of cases) {
    for (const path of [name, `${name}/1.0.0`]) {
      const answer = await remove(app, path, as)
      assert.deepEqual([answer.status, detail(answer)], [status, expected], `${as} ${path}`)
    }
  }
  for (const version of ['9.0.0', '1.0.0+build']) {
    const answer = await remove(app, `foo/${version}`, 'ann')
    assert.deepEqual(
      [answer.status, detail(answer)],
      [404, `crate \`foo\` does not have a version \`${version}\``],
    )
  }
  assert.equal((await remove(app, 'foo/one', 'ann')).status, 400)
  assert.equal((await remove(app, '..%2ffoo', 'ann')).status, 400)
  assert.deepEqual(await app.stored(), before)
  assert.deepEqual(kinds(app), ['publish', 'publish', 'publish'])
})

test('nobody may remove', async (t) => {
  const app = await published(t, ['1.0.0'])
  for (const path of ['foo', 'foo/1.0.0', 'missing']) {
    const answer = await remove(app, path)
    assert.equal(answer.status, 401)
    assert.match(detail(answer) ?? '', /^unpublish needs a login/)
  }
})

test('administrators remove what they neither own nor have a rule for', async (t) => {
  const app = await published(t, ['1.0.0'], SECRET)
  for (const name of ['secret', 'kept']) {
    await app.publish(crateFile(name))
    assert.equal((await remove(app, `${name}/1.0.0`, 'root')).status, 200)
    assert.equal((await remove(app, name, 'root')).status, 200)
  }
  assert.equal((await remove(app, 'foo', 'root')).status, 200)
  // Whoever could not have removed it learns nothing of it.
  const answer = await remove(app, 'foo', 'bob')
  assert.deepEqual([answer.status, detail(answer)], [404, 'crate `foo` does not exist'])
})

test('no uplink is asked for a removed name or number, by no replica', async (t) => {
  const crates = ['1.0.0', '9.0.0'].map((version) => crateFile('foo', version))
  const uplink = await startUplink(t, { crates, api: true })
  const storage = memoryStorage()
  const rule = { publish: ['ann', 'bob'], unpublish: ['ann'], proxy: ['up'], shadow: 'allow' as const }
  const spec = {
    host: { storage },
    options: { uplinks: { up: uplinkOptions(uplink) }, packages: { '**': rule } },
  }
  const app = await startApp(t, spec)
  const ask = async () => {
    const replica = await startApp(t, spec)
    for (const one of [app, replica]) {
      const paths = ['/3/f/foo', '/3/F/FOO', '/api/v1/crates/foo/1.0.0/download']
      for (const path of [...paths, '/api/v1/crates/foo/9.0.0/download', '/api/v1/crates/foo/explain'])
        assert.ok(!(await one.request(path)).text.includes('"vers":"9.0.0"'), path)
    }
  }
  await app.publish(crateFile('foo'))
  assert.equal((await remove(app, 'foo/1.0.0', 'ann')).status, 200)
  await ask()
  assert.equal((await remove(app, 'foo', 'ann')).status, 200)
  await ask()
  assert.deepEqual(uplink.requests, [])
})

test('of removals and publishes at once none is lost, and none comes after', async (t) => {
  const app = await published(t, ['1.0.0'])
  const [removed, ...publishes] = await Promise.all([
    remove(app, 'foo', 'ann'),
    ...['2.0.0', '3.0.0', '4.0.0'].map((version) => app.publish(crateFile('foo', version))),
  ])
  assert.equal(removed.status, 200)
  for (const { status } of publishes) assert.ok(status === 200 || status === 409)
  assert.equal((await app.request('/3/f/foo')).status, 404)
  const accepted = publishes.filter(({ status }) => status === 200).length
  assert.equal((await app.stored('crates/')).length, 2 + accepted)
})
