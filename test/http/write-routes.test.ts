import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

const OWNERS = '/api/v1/crates/foo/owners'
const ownerId = (login: string) => createHash('sha256').update(login).digest().readUInt32BE(0)
const asUsers = (...logins: string[]) => ({
  users: logins.map((login) => ({
    id: ownerId(login),
    login,
    kind: login.startsWith('group:') ? 'team' : 'user',
    name: null,
    avatar: null,
    url: '',
  })),
})

test('a publish stores one blob and one change', async (t) => {
  const app = await startApp(t)
  const crate = crateFile()
  const { status, body } = await app.publish(crate)
  assert.equal(status, 200)
  assert.deepEqual(body, { warnings: { invalid_categories: [], invalid_badges: [], other: [] } })
  const sha256 = createHash('sha256').update(crate.bytes()).digest('hex')
  assert.deepEqual(await app.stored(), [
    `blobs/sha256/${sha256.slice(0, 2)}/${sha256}`,
    'crates/3/f/foo/00000001.json',
  ])
  assert.deepEqual(
    app.events.map(({ at, ...event }) => event),
    [
      {
        kind: 'publish',
        crate: 'foo',
        version: '1.0.0',
        by: 'ann',
        tokenId: undefined,
        detail: { cksum: sha256, size: crate.bytes().length },
      },
    ],
  )
})

test('yank and unyank do nothing the second time', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  const cases = [
    ['DELETE', 'yank', true, 2],
    ['PUT', 'unyank', false, 3],
  ] as const
  for (const [method, verb, yanked, changes] of cases) {
    for (const _ of [1, 2]) {
      const { status, body } = await app.request(`/api/v1/crates/foo/1.0.0/${verb}`, { method, as: 'ann' })
      assert.equal(status, 200)
      assert.deepEqual(body, { ok: true })
      assert.equal(JSON.parse((await app.request('/3/f/foo')).text).yanked, yanked)
      assert.equal((await app.stored('crates/')).length, changes)
    }
  }
})

test('yank of what is not there is not found', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  const cases = [
    ['foo/2.0.0', 'crate `foo` does not have a version `2.0.0`'],
    ['Foo/1.0.0', 'crate `Foo` does not exist'],
    ['bar/1.0.0', 'crate `bar` does not exist'],
  ]
  for (const [path, detail] of cases) {
    const { status, body } = await app.request(`/api/v1/crates/${path}/yank`, { method: 'DELETE', as: 'ann' })
    assert.equal(status, 404)
    assert.deepEqual(body, { errors: [{ detail }] })
  }
  assert.equal((await app.stored('crates/')).length, 1)
})

test('owners are listed, added and removed', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  const list = async () => (await app.request(OWNERS)).body
  const change = async (method: string, users: string[]) => {
    const { status, body } = await app.request(OWNERS, { method, as: 'ann', body: { users } })
    assert.equal(status, 200)
    return body
  }
  assert.deepEqual(await list(), asUsers('ann'))
  assert.deepEqual(await change('PUT', ['bob', 'group:rust-team']), {
    ok: true,
    msg: '`bob`, `group:rust-team` added to the owners of crate `foo`',
  })
  assert.deepEqual(await list(), asUsers('ann', 'bob', 'group:rust-team'))
  assert.deepEqual(await change('DELETE', ['bob']), {
    ok: true,
    msg: '`bob` removed from the owners of crate `foo`',
  })
  assert.deepEqual(await list(), asUsers('ann', 'group:rust-team'))
})

const BAD_OWNERS: readonly (readonly [string, object, string])[] = [
  ['PUT', {}, 'invalid body: must be `{"users": ["login"]}` with 1 to 100 logins'],
  ['PUT', { users: [] }, 'invalid body: must be `{"users": ["login"]}` with 1 to 100 logins'],
  ['PUT', { users: [1] }, 'invalid login `1`: must be a string'],
  ['PUT', { users: [{ login: 'bob' }] }, 'invalid login: must be a string'],
  ['PUT', { users: ['a b'] }, "invalid owner `a b`: must be a user name, or `group:` and a group's name"],
  ['DELETE', { users: ['bob'] }, '`bob` is not an owner of `foo`'],
  ['DELETE', { users: ['ann'] }, '`foo` must keep at least one owner: add another one first'],
]

test('a change of owners that makes no sense is refused', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  for (const [method, request, detail] of BAD_OWNERS) {
    const { status, body } = await app.request(OWNERS, { method, as: 'ann', body: request })
    assert.equal(status, 400, JSON.stringify(request))
    assert.deepEqual(body, { errors: [{ detail }] })
  }
  const broken = await app.request(OWNERS, {
    method: 'PUT',
    as: 'ann',
    body: Buffer.from('{"users":'),
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(broken.status, 400)
  const large = await app.request(OWNERS, { method: 'PUT', as: 'ann', body: { users: ['x'.repeat(70_000)] } })
  const detail = 'the body is larger than 64 KiB'
  assert.deepEqual([large.status, large.body], [413, { errors: [{ detail }] }])
  assert.equal((await app.stored('crates/')).length, 1)
})
