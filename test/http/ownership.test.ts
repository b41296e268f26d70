import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { createCatalogue } from '../../src/registry/catalogue.ts'
import { type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

const NO_OWNER = 'user `bob` is not an owner of `foo`: ask `ann` for `cargo owner --add bob`'

function yank(app: App, as: string) {
  return app.request('/api/v1/crates/foo/1.0.0/yank', { method: 'DELETE', as })
}

function addOwner(app: App, as: string, login: string) {
  return app.request('/api/v1/crates/foo/owners', { method: 'PUT', as, body: { users: [login] } })
}

test('who is no owner may not publish, yank or change owners', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  const before = await app.stored()
  const answers = [
    await app.publish(crateFile('foo', '2.0.0'), 'bob'),
    await yank(app, 'bob'),
    await addOwner(app, 'bob', 'bob'),
  ]
  for (const { status, body } of answers) {
    assert.equal(status, 403)
    assert.deepEqual(body, { errors: [{ detail: NO_OWNER }] })
  }
  assert.deepEqual(await app.stored(), before)
})

test('an owner that was added may do all that the first one may', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  assert.equal((await addOwner(app, 'ann', 'bob')).status, 200)
  assert.equal((await app.publish(crateFile('foo', '2.0.0'), 'bob')).status, 200)
  assert.equal((await yank(app, 'bob')).status, 200)
})

test('the catalogue takes note of each change, also of one that lists do not show', async (t) => {
  const storage = memoryStorage()
  const app = await startApp(t, { host: { storage } })
  await app.publish(crateFile())
  assert.equal((await addOwner(app, 'ann', 'bob')).status, 200)
  assert.equal((await yank(app, 'bob')).status, 200)
  assert.equal((await addOwner(app, 'bob', 'eve')).status, 200)
  const catalogue = createCatalogue({ storage, logger: console, monotonic: () => performance.now() })
  const table = await catalogue.read()
  const [entry] = await table.entriesOf([table.rowOf('foo') ?? assert.fail('not found')])
  assert.equal(entry?.n, 4)
})

test('the members of a group own what the group owns', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile(), 'bob')
  assert.equal((await yank(app, 'ann')).status, 403)
  assert.equal((await addOwner(app, 'bob', 'group:rust-team')).status, 200)
  assert.equal((await yank(app, 'ann')).status, 200)
})

test('administrators own everything', async (t) => {
  const app = await startApp(t, { options: { admins: ['admins'] } })
  await app.publish(crateFile())
  assert.equal((await yank(app, 'root')).status, 200)
  assert.equal((await addOwner(app, 'root', 'root')).status, 200)
  assert.equal((await yank(app, 'bob')).status, 403)
})

test('ownership by rules lets whoever may publish yank and own', async (t) => {
  const app = await startApp(t, { options: { ownership: 'rules' } })
  await app.publish(crateFile())
  assert.equal((await app.publish(crateFile('foo', '2.0.0'), 'bob')).status, 200)
  assert.equal((await yank(app, 'bob')).status, 200)
})
