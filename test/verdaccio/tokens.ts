import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startVerdaccio, type Verdaccio } from './host.ts'
import type { Installation } from './install.ts'
import { type NpmUser, readOnlyToken } from './npm.ts'

/** The statuses of a read, and of a publish that has no body. */
interface Verdict {
  readonly npm: number
  readonly read: number
  readonly publish: number
}

const ACCEPTED: Verdict = { npm: 200, read: 200, publish: 400 }
const REFUSED = { read: 401, publish: 401 }

/** Tokens of npm, in every form that cargo and others send them. */
export async function tokensAreVerdaccios(t: TestContext, installed: Installation): Promise<void> {
  const verdaccio = await startVerdaccio(t, installed)
  const zoe = await verdaccio.addUser('zoe')
  const basic = `Basic ${Buffer.from(`${zoe.name}:${zoe.password}`).toString('base64')}`
  for (const credential of [zoe.token, `Bearer ${zoe.token}`, `bearer ${zoe.token}`]) {
    const { read, publish } = await verdictOf(verdaccio, credential)
    assert.deepEqual({ read, publish }, { read: 200, publish: 400 }, credential.slice(0, 10))
  }
  assert.equal((await verdictOf(verdaccio, basic)).publish, 400)
  const wrong = `Basic ${Buffer.from(`${zoe.name}:wrong`).toString('base64')}`
  for (const credential of [
    'garbage',
    'Bearer garbage',
    'Bearer',
    `${zoe.token}x`.replace(/^./, 'X'),
    wrong,
  ]) {
    const { read, publish } = await verdictOf(verdaccio, credential)
    assert.deepEqual({ read, publish }, REFUSED, credential)
  }
  await generatedTokens(verdaccio, zoe, installed)
}

/** What `npm token create` makes; version 6.5 itself takes revoked and limited ones for any other. */
async function generatedTokens(verdaccio: Verdaccio, zoe: NpmUser, { version }: Installation): Promise<void> {
  // It knows less of them than today's npm asks for.
  if (version === '6.5.0') return
  const [plain, readonly, elsewhere] = [
    await verdaccio.createToken(zoe),
    await readOnlyToken(verdaccio.origin, zoe.name, zoe.token),
    await verdaccio.createToken(zoe, '--cidr=10.0.0.0/8'),
  ]
  assert.deepEqual(await verdictOf(verdaccio, plain), ACCEPTED)
  await verdaccio.npm(zoe, 'token', 'revoke', await keyOf(verdaccio, zoe))
  await forgotten()
  for (const [name, token] of Object.entries({ plain, elsewhere })) {
    const { npm, ...ours } = await verdictOf(verdaccio, token)
    assert.notEqual(npm, 200, name)
    assert.deepEqual(ours, REFUSED, name)
  }
  assert.deepEqual(await verdictOf(verdaccio, readonly), { npm: 200, read: 200, publish: 403 })
}

/** The users that the plugin remembers are forgotten in five seconds. */
const forgotten = () => sleep(5_500)

async function keyOf(verdaccio: Verdaccio, user: NpmUser): Promise<string> {
  const { objects } = JSON.parse(await verdaccio.npm(user, 'token', 'list', '--json').then(asList))
  const plain = objects.find(
    ({
      readonly,
      cidr_whitelist: cidr,
    }: {
      readonly readonly?: boolean
      readonly cidr_whitelist?: unknown[]
    }) => readonly !== true && (cidr ?? []).length === 0,
  )
  return plain.key
}

function asList(text: string): string {
  const value = JSON.parse(text)
  return JSON.stringify(Array.isArray(value) ? { objects: value } : value)
}

async function verdictOf({ origin }: Verdaccio, authorization: string): Promise<Verdict> {
  const ask = async (path: string, request: RequestInit = {}) => {
    const response = await fetch(origin + path, { headers: { authorization }, ...request })
    await response.arrayBuffer()
    return response.status
  }
  return {
    // npm always says what kind of credential it has.
    npm: await ask('/-/whoami', {
      headers: { authorization: authorization.replace(/^(?!\w+ )/, 'Bearer ') },
    }),
    read: await ask('/-/cargo/config.json'),
    publish: await ask('/-/cargo/api/v1/crates/new', {
      method: 'PUT',
      headers: { authorization },
      body: Buffer.alloc(8),
    }),
  }
}
