import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { ObjectStore } from '../../src/host.ts'
import { type AuthOptions, createAuth } from '../../src/hosts/auth.ts'
import { openHtpasswd } from '../../src/hosts/htpasswd.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { createToken } from '../../src/hosts/tokens.ts'

const request = new IncomingMessage(new Socket())
const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
const invalid = { code: 'invalid_credential' }

function login(options: AuthOptions) {
  const auth = createAuth(options)
  return async (header: string | undefined) => (await auth.authenticate(header, request))?.name
}

async function htpasswd(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'auth-'))
  t.after(() => rm(folder, { recursive: true }))
  const hash = createHash('sha1').update('pw').digest('base64')
  await writeFile(join(folder, 'htpasswd'), `joe:{SHA}${hash}\n`)
  return openHtpasswd(join(folder, 'htpasswd'))
}

test('authenticate() finds users by tokens and passwords, in every place for them', async (t) => {
  const store = memoryStorage()
  const { token } = await createToken(store, { user: 'ann', groups: [] })
  const staticTokens = [{ token: 'fixed', user: 'ci' }]
  const user = login({ store, staticTokens, htpasswd: await htpasswd(t) })
  const cases: readonly (readonly [string | undefined, string | undefined])[] = [
    [undefined, undefined],
    [token, 'ann'],
    [`Bearer ${token}`, 'ann'],
    [`token ${token}`, 'ann'],
    [basic('anyone', token), 'ann'],
    [basic(token, ''), 'ann'],
    ['fixed', 'ci'],
    [basic('ci', 'fixed'), 'ci'],
    [basic('joe', 'pw'), 'joe'],
  ]
  for (const [header, expected] of cases) assert.equal(await user(header), expected, header)
  const bad = ['', 'fixe', 'Basic x', basic('joe', 'PW'), basic('joe', ''), basic('ann', 'pw'), `${token}x`]
  for (const header of bad) await assert.rejects(user(header), invalid, header)
})

test('authenticate() refuses every credential when there are no users', async () => {
  const user = login({})
  assert.equal(await user(undefined), undefined)
  for (const header of ['x', basic('joe', 'pw')]) await assert.rejects(user(header), invalid)
})

test('authenticate() checks the expiry at each use, also of known tokens', async () => {
  const store = memoryStorage()
  let time = 0
  const expires = new Date(1000).toISOString()
  const { token } = await createToken(store, { user: 'ann', groups: [], expires })
  const user = login({ store, staticTokens: [{ token: 'fixed', user: 'ci', expires }], now: () => time })
  for (const header of [token, 'fixed']) assert.ok(await user(header))
  time = 999
  for (const header of [token, 'fixed']) assert.ok(await user(header))
  time = 1000
  for (const header of [token, 'fixed'])
    await assert.rejects(user(header), { ...invalid, message: 'the token has expired' })
})

test('recall() knows a token that was right for a second, and never longer than it is valid', async () => {
  let time = 0
  const expires = new Date(1_500).toISOString()
  const auth = createAuth({
    staticTokens: [{ token: 'fixed', user: 'ci', expires }],
    now: () => time,
  })
  const recalled = (header: string | undefined) => auth.recall?.(header)?.principal?.name
  assert.deepEqual(auth.recall?.(undefined), { principal: undefined })
  assert.equal(auth.recall?.('fixed'), undefined)
  await auth.authenticate('fixed', request)
  assert.equal(recalled('fixed'), 'ci')
  assert.equal(auth.recall?.('Bearer fixed'), undefined)
  time = 999
  assert.equal(recalled('fixed'), 'ci')
  time = 1_000
  assert.equal(auth.recall?.('fixed'), undefined)
  await auth.authenticate('fixed', request)
  time = 1_499
  assert.equal(recalled('fixed'), 'ci')
  time = 1_500
  assert.equal(auth.recall?.('fixed'), undefined)
})

test('a token that was right is not kept in memory for longer than a second', async () => {
  const auth = createAuth({ staticTokens: [{ token: 'fixed', user: 'ci' }], now: () => 0 })
  await auth.authenticate('fixed', request)
  assert.ok(auth.recall?.('fixed'))
  // Its clock stands still: nothing but that it was forgotten makes it unknown.
  await setTimeout(1_200)
  assert.equal(auth.recall?.('fixed'), undefined)
})

test('recall() knows no password, nothing that was wrong, and no token that its user took back', async (t) => {
  const store = memoryStorage()
  const auth = createAuth({ store, htpasswd: await htpasswd(t) })
  await auth.authenticate(basic('joe', 'pw'), request)
  assert.equal(auth.recall?.(basic('joe', 'pw')), undefined)
  await assert.rejects(auth.authenticate('wrong', request), invalid)
  assert.equal(auth.recall?.('wrong'), undefined)

  const joe = { name: 'joe', groups: [] }
  const made = await auth.tokens?.create(joe, { name: 'laptop' })
  const { token = '', issued } = made ?? {}
  await auth.authenticate(token, request)
  assert.equal(auth.recall?.(token)?.principal?.name, 'joe')
  assert.equal(await auth.tokens?.revoke(joe, issued?.id ?? ''), true)
  assert.equal(auth.recall?.(token), undefined)
  await assert.rejects(auth.authenticate(token, request), invalid)
})

test('authenticate() is unavailable, neither anonymous nor refused, when the store fails', async (t) => {
  const store: ObjectStore = { ...memoryStorage(), get: () => Promise.reject(new Error('away')) }
  const staticTokens = [{ token: 'fixed', user: 'ci' }]
  const user = login({ store, staticTokens, htpasswd: await htpasswd(t) })
  const { token } = await createToken(memoryStorage(), { user: 'ann', groups: [] })
  for (const header of [token, basic('joe', token), basic(token, '')]) {
    await assert.rejects(user(header), { code: 'unavailable' })
  }
  assert.equal(await user('fixed'), 'ci')
  assert.equal(await user(basic('joe', 'pw')), 'joe')
})

test('authorize() allows everything, or what the host says', async () => {
  assert.equal(await createAuth({}).authorize(undefined, 'publish', 'a'), true)
  const auth = createAuth({ authorize: async (who, action) => who !== undefined || action === 'read' })
  assert.equal(await auth.authorize(undefined, 'read'), true)
  assert.equal(await auth.authorize(undefined, 'publish', 'a'), false)
})

test('createAuth() throws for a bad static token', () => {
  assert.throws(() => createAuth({ staticTokens: [{ user: 'joe' }] }), /token 1 of the configuration/)
})
