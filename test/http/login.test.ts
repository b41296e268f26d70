import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

const LOGIN = 'this registry needs a login: run `cargo login` with a token of this registry'

test('everything but /me needs a login where reads do, whether it exists or not', async (t) => {
  const app = await startApp(t, { options: { auth_required: true } })
  await app.publish(crateFile())
  const requests: readonly (readonly [string, string])[] = [
    ...[
      '/config.json',
      '/index/config.json',
      '/3/f/foo',
      '/3/b/bar',
      '/api/v1/crates?q=foo',
      '/nothing',
      '',
    ].map((path) => ['GET', path] as const),
    ...['foo', 'bar'].flatMap((name) => [
      ['GET', `/api/v1/crates/${name}/1.0.0/download`] as const,
      ['GET', `/api/v1/crates/${name}/owners`] as const,
      ['DELETE', `/api/v1/crates/${name}/1.0.0/yank`] as const,
    ]),
    ['PUT', '/api/v1/crates/new'],
    ['POST', '/config.json'],
  ]
  for (const [method, path] of requests) {
    const { status, headers, body } = await app.request(path, { method })
    assert.equal(status, 401, `${method} ${path}`)
    assert.equal(headers.get('www-authenticate'), `Cargo login_url="${app.url}/me"`)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.deepEqual(body, { errors: [{ detail: LOGIN }] })
  }
})

test('a bad credential is refused on public reads too', async (t) => {
  const app = await startApp(t)
  for (const path of ['/config.json', '/3/f/foo', '/api/v1/crates', '/me', '/nothing']) {
    const { status, headers, body } = await app.request(path, { as: 'mallory' })
    assert.equal(status, 401, path)
    assert.equal(headers.get('www-authenticate'), `Cargo login_url="${app.url}/me"`)
    assert.deepEqual(body, { errors: [{ detail: 'the token is not known' }] })
  }
})

test('nobody may write', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  const before = await app.stored()
  const cases: readonly (readonly [string, string, string])[] = [
    ['DELETE', 'foo/1.0.0/yank', 'yank'],
    ['PUT', 'foo/1.0.0/unyank', 'yank'],
    ['DELETE', 'missing/1.0.0/yank', 'yank'],
    ['PUT', 'foo/owners', 'owners'],
    ['DELETE', 'foo/owners', 'owners'],
    ['PUT', 'new', 'publish'],
  ]
  for (const [method, path, action] of cases) {
    const body = path.endsWith('owners') ? { users: ['bob'] } : Buffer.from('x')
    const answer = await app.request(`/api/v1/crates/${path}`, { method, body })
    assert.equal(answer.status, 401, path)
    assert.deepEqual(answer.body, {
      errors: [{ detail: `${action} needs a login: run \`cargo login\` with a token of this registry` }],
    })
  }
  assert.deepEqual(await app.stored(), before)
})

test('a host that cannot check users is answered with 503, and its reason is kept', async (t) => {
  const authenticate = async () => {
    throw new Error('ldap://secret.example is down')
  }
  const app = await startApp(t, { host: { auth: { authenticate, authorize: async () => true } } })
  const { status, headers, body } = await app.request('/config.json', { as: 'ann' })
  assert.equal(status, 503)
  assert.equal(headers.get('retry-after'), '2')
  assert.deepEqual(body, { errors: [{ detail: 'users cannot be checked at the moment, try again later' }] })
  assert.equal(app.errors.length, 1)
})

test('a host that cannot check rights fails closed', async (t) => {
  const authorize = async () => {
    throw new Error('rights are away')
  }
  const authenticate = async () => ({ name: 'ann', groups: [] })
  const app = await startApp(t, { host: { auth: { authenticate, authorize } } })
  const { status, body } = await app.request('/3/f/foo')
  assert.equal(status, 503)
  assert.deepEqual(body, { errors: [{ detail: 'rights cannot be checked at the moment, try again later' }] })
})
