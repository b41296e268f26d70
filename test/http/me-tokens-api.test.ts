import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { createToken } from '../../src/hosts/tokens.ts'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { basic, JOE, MIA, startTokenApp } from './token-app.ts'

const PATH = '/api/v1/me/tokens'
const AS_TOKEN = 'a token can neither make nor list tokens: sign in with a user name and password'

test('a person makes, lists and revokes tokens in the shape of crates.io', async (t) => {
  const { app } = await startTokenApp(t)
  const api_token = {
    name: 'build',
    expired_at: '2099-01-31T00:00:00Z',
    crate_scopes: ['acme-*'],
    endpoint_scopes: ['publish-new', 'publish-update', 'change-owners', 'yank'],
  }
  const made = await app.request(PATH, { method: 'PUT', as: JOE, body: { api_token } })
  assert.equal(made.status, 200)
  assert.equal(made.headers.get('cache-control'), 'no-store')
  const { token, ...kept } = (made.body as { api_token: Record<string, string> }).api_token
  assert.match(token ?? '', /^vcargo_/)
  assert.match(kept['created_at'] ?? '', /^20\d\d-/)
  assert.deepEqual(kept, {
    id: kept['id'],
    name: 'build',
    created_at: kept['created_at'],
    last_used_at: null,
    expired_at: '2099-01-31T00:00:00.000Z',
    crate_scopes: ['acme-*'],
    endpoint_scopes: ['publish', 'owners', 'yank'],
  })
  const list = await app.request(PATH, { as: JOE })
  assert.deepEqual(list.body, { api_tokens: [kept] })
  assert.equal(list.headers.get('cache-control'), 'no-store')
  assert.deepEqual((await app.request(PATH, { as: MIA })).body, { api_tokens: [] })

  assert.equal((await app.publish(crateFile('acme-a'), token)).status, 200)
  assert.equal((await app.publish(crateFile('other'), token)).status, 403)

  const revoked = await app.request(`${PATH}/${kept['id']}`, { method: 'DELETE', as: JOE })
  assert.deepEqual([revoked.status, revoked.body], [200, {}])
  assert.deepEqual((await app.request(PATH, { as: JOE })).body, { api_tokens: [] })
  // At once where it was revoked.
  assert.equal((await app.request('/config.json', { as: token ?? '' })).status, 401)
})

test('POST makes a token as PUT does, without limits when none are asked for', async (t) => {
  const { app } = await startTokenApp(t)
  const body = { api_token: { name: 'all' } }
  const made = await app.request(PATH, { method: 'POST', as: JOE, body })
  assert.equal(made.status, 200)
  const { expired_at, crate_scopes, endpoint_scopes, token } = (
    made.body as { api_token: Record<string, unknown> }
  ).api_token
  assert.deepEqual([expired_at, crate_scopes, endpoint_scopes], [null, null, null])
  assert.equal((await app.publish(crateFile(), String(token))).status, 200)
  assert.equal(app.events.at(-1)?.by, 'joe')
})

const REFUSED: readonly (readonly [unknown, string])[] = [
  [{}, 'invalid body: must be `{"api_token": {"name": "…"}}`'],
  [{ api_token: {} }, 'invalid body: must be `{"api_token": {"name": "…"}}`'],
  [{ api_token: { name: ' ' } }, 'invalid token name ` `: must have 1 to 100 characters on one line'],
  [{ api_token: { name: 'a\nb' } }, 'invalid token name `a�b`: must have 1 to 100 characters on one line'],
  [
    { api_token: { name: 'x', expired_at: 7 } },
    'invalid `expired_at`: must be a time such as `2027-01-31T00:00:00Z`',
  ],
  [
    { api_token: { name: 'x', expired_at: '2001-01-01' } },
    'invalid expiry `2001-01-01`: must be in the future',
  ],
  [{ api_token: { name: 'x', crate_scopes: 'a' } }, 'invalid `crate_scopes`: must be a list of strings'],
  [{ api_token: { name: 'x', crate_scopes: [] } }, 'invalid list of crates: must have 1 to 50 entries'],
  [
    { api_token: { name: 'x', crate_scopes: ['+(a|a)'] } },
    "invalid crate `+(a|a)`: must be a crate's name, in which up to two `*` stand for any characters",
  ],
  [
    { api_token: { name: 'x', crate_scopes: ['*a*a*'] } },
    "invalid crate `*a*a*`: must be a crate's name, in which up to two `*` stand for any characters",
  ],
  [{ api_token: { name: 'x', endpoint_scopes: [] } }, 'invalid list of actions: must not be empty'],
  [
    { api_token: { name: 'x', endpoint_scopes: ['constructor'] } },
    'invalid scope `constructor`: must be one of `read`, `publish`, `yank`, `owners`, `unpublish`, `admin`',
  ],
  [
    { api_token: { name: 'x', endpoint_scopes: ['publish-new'] } },
    'invalid scope `publish-new`: must be one of `read`, `publish`, `yank`, `owners`, `unpublish`, `admin`',
  ],
]

test('a wish that cannot be granted is refused, and nothing is stored', async (t) => {
  const { app } = await startTokenApp(t)
  for (const [body, detail] of REFUSED) {
    const answer = await app.request(PATH, { method: 'PUT', as: JOE, body: body as object })
    assert.equal(answer.status, 400, detail)
    assert.deepEqual(answer.body, { errors: [{ detail }] })
  }
  const text = Buffer.from('{"api_token":{"name":"x"}}')
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const form = await app.request(PATH, { method: 'POST', as: JOE, body: text, headers })
  const detail = 'the body must be JSON, sent with `Content-Type: application/json`'
  assert.deepEqual([form.status, form.body], [400, { errors: [{ detail }] }])
  assert.deepEqual(await app.stored('tokens/'), [])
})

test('nobody has tokens, and cargo is still led to the page', async (t) => {
  const { app } = await startTokenApp(t)
  for (const method of ['GET', 'PUT', 'POST']) {
    const body = method === 'GET' ? undefined : { api_token: { name: 'x' } }
    const answer = await app.request(PATH, { method, ...(body && { body }) })
    assert.equal(answer.status, 401)
    assert.equal(answer.headers.get('www-authenticate'), `Cargo login_url="${app.url}/me"`)
  }
  assert.equal((await app.request(`${PATH}/0123456789abcdef`, { method: 'DELETE' })).status, 401)
})

test('a token makes and lists no tokens, and revokes none but itself', async (t) => {
  const { app, token } = await startTokenApp(t)
  const [one, other] = [await token(JOE), await token(JOE, { endpoint_scopes: ['read'] })]
  const body = { api_token: { name: 'more' } }
  for (const as of [one.token, basic('joe', one.token), basic(one.token, '')]) {
    for (const [method, path] of [
      ['GET', PATH],
      ['PUT', PATH],
      ['POST', PATH],
      ['DELETE', `${PATH}/${other.id}`],
    ] as const) {
      const answer = await app.request(path, { method, as, ...(method.startsWith('P') && { body }) })
      assert.equal(answer.status, 403, `${method} ${path}`)
      assert.deepEqual(answer.body, { errors: [{ detail: AS_TOKEN }] })
    }
  }
  assert.equal((await app.stored('tokens/')).length, 2)
  const ended = await app.request(`${PATH}/${other.id}`, { method: 'DELETE', as: other.token })
  assert.equal(ended.status, 200)
  assert.equal((await app.request('/config.json', { as: other.token })).status, 401)
  assert.equal((await app.stored('tokens/')).length, 1)
})

test('a token that was found is revoked with nothing but itself', async (t) => {
  const { app, token } = await startTokenApp(t)
  const { token: as } = await token(JOE, { endpoint_scopes: ['read'], crate_scopes: ['none'] })
  const current = (who?: string) =>
    app.request('/api/v1/tokens/current', { method: 'DELETE', ...(who !== undefined && { as: who }) })
  assert.equal((await current()).status, 401)
  assert.equal((await current(JOE)).status, 404)
  const { status, text } = await current(as)
  assert.deepEqual([status, text], [204, ''])
  assert.equal((await current(as)).status, 401)
  assert.deepEqual(await app.stored('tokens/'), [])
})

test('nobody revokes what is not theirs, or no token', async (t) => {
  const { app, token } = await startTokenApp(t)
  const { id } = await token(JOE)
  for (const wrong of [id, '0000000000000000', '..%2ftokens', 'x', '']) {
    const answer = await app.request(`${PATH}/${wrong}`, { method: 'DELETE', as: MIA })
    assert.equal(answer.status, 404, wrong)
  }
  assert.equal((await app.stored('tokens/')).length, 1)
})

test('what another site makes a browser send is refused, also as JSON', async (t) => {
  const { app, token } = await startTokenApp(t)
  const { id } = await token(JOE)
  const body = { api_token: { name: 'x' } }
  const foreign: readonly Readonly<Record<string, string>>[] = [
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'cross-site' },
  ]
  for (const headers of foreign) {
    for (const method of ['PUT', 'POST'])
      assert.equal((await app.request(PATH, { method, as: JOE, body, headers })).status, 403)
    assert.equal((await app.request(`${PATH}/${id}`, { method: 'DELETE', as: JOE, headers })).status, 403)
  }
  assert.equal((await app.stored('tokens/')).length, 1)
})

test('the tokens of a person end with the person, and a token of the operator does not', async (t) => {
  const { app, token, users } = await startTokenApp(t)
  const [joes, mias] = [await token(JOE), await token(MIA)]
  const given = await createToken(app.storage, { user: 'joe', groups: [] })
  await users('mia')
  // Passwords are looked at once a second.
  await setTimeout(1100)
  const answer = await app.request('/config.json', { as: joes.token })
  assert.equal(answer.status, 401)
  assert.deepEqual(answer.body, { errors: [{ detail: 'the user of this token is no user any more' }] })
  for (const as of [mias.token, given.token])
    assert.equal((await app.request('/config.json', { as })).status, 200)
})

test('a token that was revoked is refused at once there, and within a minute by every other replica', async (t) => {
  let time = Date.now()
  const clock = { now: () => time }
  const { app, token } = await startTokenApp(t, {}, clock)
  const replica = await startTokenApp(t, { host: { storage: app.storage } }, clock)
  const { id, token: as } = await token(JOE)
  for (const one of [app, replica.app]) assert.equal((await one.request('/config.json', { as })).status, 200)
  assert.equal((await app.request(`${PATH}/${id}`, { method: 'DELETE', as: JOE })).status, 200)
  assert.equal((await app.request('/config.json', { as })).status, 401)
  time += 60_000
  assert.equal((await replica.app.request('/config.json', { as })).status, 401)
})

test('a person has a hundred tokens at most', async (t) => {
  const { app, token } = await startTokenApp(t)
  const grant = { user: 'joe', groups: [] }
  await Promise.all(Array.from({ length: 100 }, () => createToken(app.storage, grant)))
  await assert.rejects(token(JOE), /has 100 tokens already: revoke one first/)
  assert.ok(await token(MIA))
})

test('a damaged token is nobody’s, and keeps nobody from theirs', async (t) => {
  const { app, token } = await startTokenApp(t)
  await token(JOE)
  await app.storage.put(`tokens/${'0'.repeat(64)}.json`, Buffer.from('{'))
  const { body } = await app.request(PATH, { as: JOE })
  assert.equal((body as { api_tokens: unknown[] }).api_tokens.length, 1)
})

test('a host without an issuer says so', async (t) => {
  const app = await startApp(t)
  for (const [method, path] of [
    ['GET', PATH],
    ['GET', '/me/tokens'],
    ['DELETE', `${PATH}/x`],
  ] as const) {
    const { status, body } = await app.request(path, { method, as: 'ann' })
    assert.equal(status, 501)
    assert.deepEqual(body, {
      errors: [{ detail: 'this registry makes no tokens by itself: its `/me` says who does' }],
    })
  }
})

test('an issuer that is away is 503, and its reason is kept', async (t) => {
  const away = async () => {
    throw new Error('ldap://secret.example is down')
  }
  const auth = {
    authenticate: async () => ({ name: 'joe', groups: [] }),
    authorize: async () => true,
    tokens: { list: away, create: away, revoke: away },
  }
  const app = await startApp(t, { host: { auth } })
  for (const path of [PATH, '/me/tokens']) {
    const { status, text } = await app.request(path, { as: 'x' })
    assert.equal(status, 503)
    assert.ok(!text.includes('secret'))
  }
})
