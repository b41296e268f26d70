import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import type { OptionsInput } from '../../src/options.ts'
import { type Answer, type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { basic, JOE, MIA, startTokenApp } from './token-app.ts'

type RateLimits = NonNullable<OptionsInput['rate_limits']>

const limits = (rate_limits: RateLimits): { options: OptionsInput } => ({ options: { rate_limits } })
const YANK = '/api/v1/crates/foo/1.0.0/yank'
const UNYANK = '/api/v1/crates/foo/1.0.0/unyank'

function mustBeLimited({ status, headers, body }: Answer, detail: RegExp): void {
  assert.equal(status, 429)
  const retryAfter = headers.get('retry-after') ?? ''
  assert.match(retryAfter, /^[1-9]\d*$/)
  const [error] = (body as { errors: { detail: string }[] }).errors
  assert.match(error?.detail ?? '', detail)
  assert.ok(error?.detail.endsWith(`: try again in ${retryAfter} s`), error?.detail)
}

async function limited(app: App, limit: string): Promise<number> {
  const text = await app.metrics.metrics()
  return Number(new RegExp(`cargo_rate_limited_total\\{limit="${limit}"\\} (\\d+)`).exec(text)?.[1] ?? 0)
}

test('publishes of one user are limited, those of another are not', async (t) => {
  const app = await startApp(t, limits({ publish: { rate: '1/h', burst: 2 } }))
  assert.equal((await app.publish(crateFile('a'))).status, 200)
  assert.equal((await app.publish(crateFile('a'))).status, 409)
  mustBeLimited(await app.publish(crateFile('b')), /^too many publishes of user `ann`/)
  assert.deepEqual(await app.stored('crates/'), ['crates/1/a/00000001.json'])
  assert.equal((await app.publish(crateFile('b'), 'bob')).status, 200)
  assert.equal(await limited(app, 'publish'), 1)
})

test('a publish that is too many is refused before its body comes', async (t) => {
  const app = await startApp(t, limits({ publish: '1/h' }))
  await app.publish(crateFile('a'))
  const headers = { authorization: 'ann', expect: '100-continue', 'content-length': '9' }
  const status = await new Promise((resolve, reject) => {
    const put = request(`${app.url}/api/v1/crates/new`, { method: 'PUT', headers })
    put.on('continue', () => reject(new Error('told to send the body')))
    put.on('error', reject)
    put.on('response', ({ statusCode }) => {
      resolve(statusCode)
      put.destroy()
    })
    put.flushHeaders()
  })
  assert.equal(status, 429)
})

test('all other changes of a user are counted together, reads never', async (t) => {
  const app = await startApp(t, limits({ yank: { rate: '1/h', burst: 4 } }))
  await app.publish(crateFile('foo'))
  assert.equal((await app.request(YANK, { method: 'DELETE', as: 'ann' })).status, 200)
  assert.equal((await app.request(UNYANK, { method: 'PUT', as: 'ann' })).status, 200)
  const body = { users: ['bob'] }
  assert.equal(
    (await app.request('/api/v1/crates/foo/owners', { method: 'PUT', as: 'ann', body })).status,
    200,
  )
  assert.equal((await app.request('/api/v1/crates/foo/1.0.0', { method: 'DELETE', as: 'ann' })).status, 403)
  for (const [method, path] of [
    ['DELETE', YANK],
    ['PUT', UNYANK],
    ['PUT', '/api/v1/crates/foo/owners'],
    ['DELETE', '/api/v1/crates/foo/owners'],
    ['DELETE', '/api/v1/crates/foo'],
    ['PUT', '/api/v1/me/tokens'],
  ] as const) {
    mustBeLimited(await app.request(path, { method, as: 'ann', body: {} }), /^too many changes of user `ann`/)
  }
  assert.equal((await app.publish(crateFile('foo', '1.0.1'))).status, 200)
  for (let n = 0; n < 20; n++) assert.equal((await app.request('/3/f/foo', { as: 'ann' })).status, 200)
  assert.equal(await limited(app, 'yank'), 6)
})

test('changes that nobody is logged in for are counted by address', async (t) => {
  const app = await startApp(t, limits({ publish: '2/h', yank: '1/h' }))
  for (const status of [401, 401, 429]) {
    const put = await app.request('/api/v1/crates/new', { method: 'PUT', body: new Uint8Array(9) })
    assert.equal(put.status, status)
  }
  assert.equal((await app.request(YANK, { method: 'DELETE' })).status, 401)
  mustBeLimited(await app.request(YANK, { method: 'DELETE' }), /^too many changes of this address/)
  assert.equal((await app.publish(crateFile('a'))).status, 200)
})

test('wrong passwords of a user are limited, and then not even looked at', async (t) => {
  const { app } = await startTokenApp(t, limits({ login: { rate: '1/h', burst: 3 } }))
  const login = (as: string) => app.request('/api/v1/me/tokens', { as })
  for (let n = 0; n < 3; n++) assert.equal((await login(basic('joe', `guess ${n}`))).status, 401)
  mustBeLimited(await login(basic('joe', 'guess 4')), /^too many wrong tokens or passwords from this address/)
  mustBeLimited(await login(JOE), /^too many wrong/)
  assert.equal((await login(MIA)).status, 200, 'another user behind the same address')
  assert.equal(await limited(app, 'login'), 2)
})

test('who was right before is never held up, whoever guesses from the same address', async (t) => {
  const { app, token } = await startTokenApp(t, limits({ login: { rate: '1/h', burst: 2 } }))
  const ci = (await token(JOE)).token
  assert.equal((await app.request('/config.json', { as: ci })).status, 200)
  const guesses = Array.from({ length: 40 }, (_, n) => (n % 2 ? `guess-${n}` : basic('joe', `guess ${n}`)))
  const statuses = new Set<number>()
  for (const as of guesses) statuses.add((await app.request('/config.json', { as })).status)
  assert.deepEqual([...statuses], [401, 429])
  for (const as of [JOE, ci]) assert.equal((await app.request('/config.json', { as })).status, 200)
  mustBeLimited(await app.request('/config.json', { as: 'a new guess' }), /^too many wrong/)
})

test('a machine with a wrong token shuts out nobody but itself', async (t) => {
  const app = await startApp(t, limits({ login: '1/h' }))
  const statuses = []
  for (let n = 0; n < 60; n++) statuses.push((await app.request('/config.json', { as: 'expired' })).status)
  assert.deepEqual(statuses, [...Array(50).fill(401), ...Array(10).fill(429)])
  assert.equal((await app.request('/config.json', { as: 'ann' })).status, 200)
})

test('a person who guesses is told on the page', async (t) => {
  const { app } = await startTokenApp(t, limits({ login: '1/h' }))
  assert.equal((await app.request('/me/tokens', { as: basic('joe', 'x') })).status, 401)
  const { status, headers, text } = await app.request('/me/tokens', { as: basic('joe', 'y') })
  assert.equal(status, 429)
  assert.match(headers.get('retry-after') ?? '', /^\d+$/)
  assert.match(text, /[Tt]oo many wrong tokens or passwords from this address: try again in 3600 s/)
})

test('`false` is no limit', async (t) => {
  const app = await startApp(t, limits({ publish: false, yank: false, login: false }))
  for (let n = 0; n < 400; n++) assert.equal((await app.request('/config.json', { as: `x${n}` })).status, 401)
})

test('the usual limits let a workspace of hundreds of crates through, and stop guesses', async (t) => {
  const app = await startApp(t)
  for (let n = 0; n < 300; n++) assert.equal((await app.publish(crateFile(`crate-${n}`))).status, 200)
  let guesses = 0
  while ((await app.request('/config.json', { as: `guess-${guesses}` })).status === 401) guesses += 1
  assert.ok(guesses >= 100 && guesses < 200, String(guesses))
})
