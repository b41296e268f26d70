import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startVerdaccio } from './host.ts'
import type { Installation } from './install.ts'
import { passwordOf, requestRevocation, requestToken, signUp } from './npm.ts'

/** The statuses of a read and of a write that has nothing to write: of npm's own routes, and of ours. */
interface Verdict {
  readonly npm: readonly number[]
  readonly ours: readonly number[]
}

const ACCEPTED = [200, 400]
const READ_ONLY = [200, 403]
const REFUSED = [401, 401]
/** Signed tokens, instead of the encrypted passwords that are usual. */
const JWT = { security: { api: { jwt: { sign: { expiresIn: '1d' } } } } }
const USER = 'zoe'
/** The plugin forgets whom it found behind a token a little sooner. */
export const REMEMBERED_MS = 5_500

/** Tokens of npm, of both kinds, in every form that cargo and others send them. */
export async function tokensAreVerdaccios(t: TestContext, installed: Installation): Promise<void> {
  await Promise.all(
    [{}, JWT].map(async (config) => {
      const { origin } = await startVerdaccio(t, installed, { config })
      const token = await signUp(origin, USER)
      await formsOf(origin, token)
      await generatedTokens(origin, token, installed)
    }),
  )
}

async function formsOf(origin: string, token: string): Promise<void> {
  const basic = (password: string) => `Basic ${Buffer.from(`${USER}:${password}`).toString('base64')}`
  for (const credential of [token, `Bearer ${token}`, `bearer ${token}`, basic(passwordOf(USER))])
    assert.deepEqual((await verdictOf(origin, credential)).ours, ACCEPTED, credential.slice(0, 10))
  const broken = `${token}x`.replace(/^./, 'X')
  for (const credential of ['garbage', 'Bearer garbage', 'Bearer', broken, basic('wrong')])
    assert.deepEqual((await verdictOf(origin, credential)).ours, REFUSED, credential)
}

/** Revoked and limited tokens are refused where npm's own routes refuse them, which before version 6.7.4 they do nowhere. */
async function generatedTokens(origin: string, login: string, { version }: Installation): Promise<void> {
  const zoe = { name: USER, token: login }
  const revoked = await requestToken(origin, zoe)
  const readOnly = await requestToken(origin, zoe, { readonly: true })
  const elsewhere = await requestToken(origin, zoe, { cidr: ['10.0.0.0/8'] })
  assert.deepEqual((await verdictOf(origin, revoked.token)).ours, ACCEPTED)
  await requestRevocation(origin, zoe, revoked)
  await sleep(REMEMBERED_MS)
  for (const [{ token }, expected] of [
    [revoked, REFUSED],
    [elsewhere, REFUSED],
    [readOnly, READ_ONLY],
  ] as const) {
    const { npm, ours } = await verdictOf(origin, token)
    assert.deepEqual(ours, version === '6.5.0' ? ACCEPTED : expected)
    assert.deepEqual(ours.map(isRefusal), npm.map(isRefusal))
  }
}

const isRefusal = (status: number) => status === 401 || status === 403

async function verdictOf(origin: string, authorization: string): Promise<Verdict> {
  const ask = async (path: string, credential: string, request: RequestInit = {}) => {
    const headers = { authorization: credential, ...request.headers }
    const response = await fetch(origin + path, { ...request, headers })
    await response.arrayBuffer()
    return response.status
  }
  // npm always says what kind of credential it has.
  const npms = authorization.replace(/^(?!\w+ )/, 'Bearer ')
  const json = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{}' }
  return {
    npm: [await ask('/-/whoami', npms), await ask('/nothing', npms, json)],
    ours: [
      await ask('/-/cargo/config.json', authorization),
      await ask('/-/cargo/api/v1/crates/new', authorization, { method: 'PUT', body: Buffer.alloc(8) }),
    ],
  }
}
