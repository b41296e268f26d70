import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { crateFile } from '../support/crate-file.ts'
import { type Client, clientOf } from './client.ts'
import { startVerdaccio, type Verdaccio } from './host.ts'
import type { Installation } from './install.ts'
import { signUp } from './npm.ts'

/** Of the auth plugin `teams`; the tokens are those that npm would get. */
const TEAMS = { lena: ['rust-team', 'leads'], ann: ['rust-team'], bob: ['web-team'], vic: ['vault'] } as const
const TEAM_AUTH = {
  plugins: join(import.meta.dirname, 'plugins'),
  auth: { teams: { teams: TEAMS, sealed: 'cargo/sealed-crate' } },
}
const RULE = { access: '$all', publish: '$authenticated' }
const SPELLINGS = ['acme_core', 'acme-core', 'ACME_CORE', 'Acme-Core'] as const

type Person = keyof typeof TEAMS
type People = Readonly<Record<Person | 'nobody', Client>>

async function peopleOf({ origin, url }: Verdaccio): Promise<People> {
  const client = async (name: Person) => clientOf(url, await signUp(origin, name))
  return {
    lena: await client('lena'),
    ann: await client('ann'),
    bob: await client('bob'),
    vic: await client('vic'),
    nobody: clientOf(url),
  }
}

/** The host's `packages` decide on `cargo/<crate>`, with groups and verdicts of another auth plugin. */
export async function hostRulesDecide(t: TestContext, installed: Installation): Promise<void> {
  const team = { access: 'rust-team', publish: 'rust-team' }
  const verdaccio = await startVerdaccio(t, installed, {
    config: {
      ...TEAM_AUTH,
      packages: {
        'cargo/acme_*': { ...team, unpublish: 'leads' },
        'cargo/sealed-*': { access: '$authenticated', publish: 'leads vault' },
        'cargo/*': RULE,
        '**': { access: '$all', publish: 'bob' },
      },
    },
  })
  const people = await peopleOf(verdaccio)
  await loginIsNeeded(verdaccio)
  await spellingsAreOne(people)
  const { lena, bob, vic } = people
  assert.equal(await bob.publish(crateFile('anything')), 200)
  // A verdict of the plugin's own, which no rule can give.
  assert.equal(await vic.publish(crateFile('sealed-crate')), 200)
  assert.equal((await vic.versions('sealed-crate'))?.size, 1)
  assert.equal(await lena.versions('sealed-crate'), undefined)
}

/** The plugin's own block takes the place of the host's rules, which let nobody do anything here. */
export async function ownRulesDecide(t: TestContext, installed: Installation): Promise<void> {
  const verdaccio = await startVerdaccio(t, installed, {
    config: { ...TEAM_AUTH, packages: { '**': { access: 'vic', publish: 'vic' } } },
    cargo: {
      packages: {
        'acme_*': { access: 'rust-team', publish: 'rust-team', unpublish: 'leads' },
        '**': { access: '$all', publish: '$authenticated' },
      },
    },
  })
  const people = await peopleOf(verdaccio)
  await spellingsAreOne(people)
  assert.equal(await people.bob.publish(crateFile('anything')), 200)
  // Absent: nobody, and not who may publish, as in the host's words.
  assert.equal((await people.bob.ask('/api/v1/crates/anything/1.0.0', { method: 'DELETE' })).status, 403)
}

/** One verdict for all spellings of a name, on reads and writes, for each of the people. */
async function spellingsAreOne({ ann, lena, bob, nobody }: People): Promise<void> {
  assert.equal(await bob.publish(crateFile('acme_core')), 403)
  assert.equal(await lena.publish(crateFile('acme_core')), 200)
  for (const name of SPELLINGS) {
    const path = `/api/v1/crates/${name}`
    const reads = async (client: Client) => (await client.ask(path)).status
    assert.deepEqual(
      [await reads(ann), await reads(lena), await reads(bob), await reads(nobody)],
      [...[200, 200, 404, 401]],
    )
    // Ann may publish such crates, and does not own this one.
    assert.equal(await ann.publish(crateFile(name, '2.0.0')), 403, name)
    assert.ok([403, 404].includes(await bob.publish(crateFile(name, '2.0.0'))), name)
    const other = name.replace(/core/i, 'other')
    assert.equal(await bob.publish(crateFile(other)), 403, other)
  }
  assert.equal((await bob.ask('/api/v1/crates?q=acme')).text.includes('acme'), false)
  const owners = { method: 'PUT', body: '{"users":["ann"]}', headers: { 'content-type': 'application/json' } }
  assert.equal((await lena.ask('/api/v1/crates/acme_core/owners', owners)).status, 200)
  assert.equal(await ann.publish(crateFile('acme_core', '2.0.0')), 200)
  const remove = { method: 'DELETE' }
  for (const name of SPELLINGS)
    assert.notEqual((await ann.ask(`/api/v1/crates/${name}/2.0.0`, remove)).status, 200, name)
  assert.equal((await lena.ask('/api/v1/crates/acme_core/2.0.0', remove)).status, 200)
  assert.deepEqual([...((await ann.versions('acme_core'))?.keys() ?? [])], ['1.0.0'])
}

/** Reads need a login, which leads to a page that says how to get a token of npm. */
async function loginIsNeeded({ url, origin }: Verdaccio): Promise<void> {
  const { status, headers } = await clientOf(url).ask('/config.json')
  assert.equal(status, 401)
  const page = /^Cargo login_url="(.+)"$/.exec(headers.get('www-authenticate') ?? '')?.[1] ?? ''
  assert.equal(page, `${url}/me`)
  const response = await fetch(page)
  const text = await response.text()
  assert.equal(response.status, 200)
  for (const line of [
    `npm login --registry ${origin}/`,
    `npm token create --registry ${origin}/`,
    `sparse+${url}/`,
    'cargo login --registry',
  ])
    assert.ok(text.includes(line), `no ${line} in ${text}`)
}

/** Tokens that expire by themselves. */
export async function jwtExpires(t: TestContext, installed: Installation): Promise<void> {
  const verdaccio = await startVerdaccio(t, installed, {
    config: { security: { api: { jwt: { sign: { expiresIn: '8s' } } } } },
  })
  const token = await signUp(verdaccio.origin, 'zoe')
  assert.equal(token.split('.').length, 3, token)
  for (const credential of [token, `Bearer ${token}`]) {
    const zoe = clientOf(verdaccio.url, credential)
    assert.equal((await zoe.ask('/config.json')).status, 200)
  }
  assert.equal(await clientOf(verdaccio.url, token).publish(crateFile('timely')), 200)
  const forged = `${token.slice(0, -4)}AAAA`
  assert.equal((await clientOf(verdaccio.url, forged).ask('/config.json')).status, 401)
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  await sleep(exp * 1000 + 1000 - Date.now())
  assert.equal((await clientOf(verdaccio.url, token).ask('/config.json')).status, 401)
  assert.equal(await clientOf(verdaccio.url, token).publish(crateFile('late')), 401)
}
