import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

/** Ann reads and publishes everything, bob only what is public. */
const options = {
  packages: {
    'secret*': { access: ['ann'], publish: ['ann'] },
    '**': { access: ['$authenticated'], publish: ['ann', 'bob'] },
  },
}

function told({ status, headers, text }: Answer, name: string): string {
  const kept = [...headers].filter(([key]) => key !== 'date' && key !== 'x-request-id')
  return JSON.stringify([status, kept, text])
    .replaceAll(name, 'NAME')
    .replace(/"content-length","\d+"/, '')
}

test('a crate that may not be read is like one that does not exist', async (t) => {
  const app = await startApp(t, { options })
  await app.publish(crateFile('secret'))
  const spellings = (name: string): readonly (readonly [string, string])[] => [
    ['GET', `/${name.slice(0, 2)}/${name.slice(2, 4)}/${name}`],
    ['GET', `/api/v1/crates/${name}/1.0.0/download`],
    ['GET', `/api/v1/crates/${name}/owners`],
    ['DELETE', `/api/v1/crates/${name}/1.0.0/yank`],
    ['PUT', `/api/v1/crates/${name}/1.0.0/unyank`],
  ]
  for (const [i, [method, path]] of spellings('secret').entries()) {
    const missing = spellings('nothere')[i]?.[1] ?? ''
    const hidden = await app.request(path, { method, as: 'bob' })
    assert.equal(hidden.status, 404, path)
    assert.equal(told(hidden, 'secret'), told(await app.request(missing, { method, as: 'bob' }), 'nothere'))
  }
})

test('search counts only what may be read', async (t) => {
  const app = await startApp(t, { options })
  for (const name of ['secret', 'public']) await app.publish(crateFile(name))
  const found = async (as: string) => {
    const { body } = await app.request('/api/v1/crates?q=crate', { as })
    const { crates, meta } = body as { crates: { name: string }[]; meta: { total: number } }
    return [crates.map(({ name }) => name), meta.total]
  }
  assert.deepEqual(await found('bob'), [['public'], 1])
  assert.deepEqual(await found('ann'), [['public', 'secret'], 2])
})

test('whoever may not publish is refused, and nothing is stored', async (t) => {
  const app = await startApp(t, { options: { packages: { '**': { publish: ['ann'] } } } })
  const { status, body } = await app.publish(crateFile(), 'bob')
  assert.equal(status, 403)
  assert.deepEqual(body, {
    errors: [
      {
        detail:
          "user `bob` may not publish in this registry: the access rules or the token's scopes do not allow it",
      },
    ],
  })
  assert.deepEqual(await app.stored(), [])
})

test("a token's scopes take rights away", async (t) => {
  const app = await startApp(t)
  const { status, body } = await app.publish(crateFile(), 'reader')
  assert.equal(status, 403)
  assert.match(JSON.stringify(body), /user `reader` may not publish/)
  assert.equal((await app.publish(crateFile())).status, 200)
  assert.equal((await app.request('/3/f/foo', { as: 'reader' })).status, 200)
  assert.equal((await yank(app, 'reader')).status, 403)
  assert.equal((await app.stored('crates/')).length, 1)
})

test("a token's scopes are asked for each crate", async (t) => {
  const authenticate = async () => ({
    name: 'ci',
    groups: [],
    may: (_: string, crate?: string) => crate === undefined || crate.startsWith('acme-'),
  })
  const app = await startApp(t, { host: { auth: { authenticate, authorize: async () => true } } })
  assert.equal((await app.publish(crateFile('acme-a'))).status, 200)
  assert.equal((await app.publish(crateFile('other'))).status, 403)
  assert.equal((await app.stored('crates/')).length, 1)
})

test("the host's own rules are asked as well", async (t) => {
  const authenticate = async () => ({ name: 'ann', groups: [] })
  const authorize = async (_: unknown, action: string) => action === 'read'
  const app = await startApp(t, { host: { auth: { authenticate, authorize } } })
  assert.equal((await app.publish(crateFile())).status, 403)
  assert.deepEqual(await app.stored(), [])
})

function yank(app: App, as: string): Promise<Answer> {
  return app.request('/api/v1/crates/foo/1.0.0/yank', { method: 'DELETE', as })
}
