import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { startUplink } from '../support/uplink.ts'
import { indexOf, uplinkOptions } from './upstream-app.ts'

type Json = Readonly<Record<string, unknown>>
interface Answer {
  readonly dependencies: readonly Json[]
  readonly versions: readonly Json[]
  readonly meta: Json
}

async function ask(app: App, crate: string, as?: string): Promise<Answer> {
  const path = `/api/v1/crates/${crate.includes('?') ? crate.replace('?', '/reverse_dependencies?') : `${crate}/reverse_dependencies`}`
  const { status, body } = await app.request(path, as === undefined ? {} : { as })
  assert.equal(status, 200, path)
  return body as Answer
}

const names = ({ versions }: Answer) => versions.map((version) => version['crate']).join(' ')

/** A dependency on a crate of the registry that is published to. */
function onOwn(app: App, version = '^1') {
  return { version, own: true, 'registry-index': `sparse+${app.url}/` }
}

test('reverse dependencies are told with the version that has them, in the shape of crates.io', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile('base'))
  await app.publish(crateFile('user', '0.9.0'))
  await app.publish(
    crateFile('user', '1.2.0').dep('alias', { ...onOwn(app, '^1.0'), package: 'base', optional: true }),
  )
  const found = await ask(app, 'base')
  const [{ id, version_id, ...dependency } = {}] = found.dependencies
  assert.equal(typeof id, 'number')
  assert.deepEqual(dependency, {
    ...{ crate_id: 'base', req: '^1.0', optional: true, default_features: true, features: [], target: null },
    ...{ kind: 'normal', downloads: 0 },
  })
  const { body } = await app.request('/api/v1/crates/user/1.2.0')
  assert.deepEqual(found.versions, [(body as { version: Json }).version])
  assert.equal(found.versions[0]?.['id'], version_id)
  assert.deepEqual(found.meta, { total: 1 })
})

test('reverse dependencies are those of the newest version, of every kind, each crate once', async (t) => {
  const app = await startApp(t)
  const dep = onOwn(app)
  for (const name of ['base', 'base-other']) await app.publish(crateFile(name))
  await app.publish(crateFile('once').dep('base', dep))
  await app.publish(crateFile('once', '2.0.0'))
  await app.publish(
    crateFile('twice')
      .dep('base', dep)
      .dep('base', { ...dep, kind: 'dev' }),
  )
  await app.publish(crateFile('dev').dep('base', { ...dep, kind: 'dev' }))
  await app.publish(crateFile('build').dep('base', { ...dep, kind: 'build', target: 'cfg(unix)' }))
  await app.publish(crateFile('other').dep('base-other', dep))
  await app.publish(crateFile('pre').dep('base', dep))
  await app.publish(crateFile('pre', '2.0.0-rc.1'))
  await app.publish(crateFile('yanked').dep('base', dep))
  await app.publish(crateFile('yanked', '1.1.0'))
  await app.request('/api/v1/crates/yanked/1.1.0/yank', { method: 'DELETE', as: 'ann' })
  assert.equal(names(await ask(app, 'BASE')), 'build dev pre twice yanked')
  assert.equal(names(await ask(app, 'base_other')), 'other')
  const page = await ask(app, 'base?per_page=2&page=2')
  assert.deepEqual([names(page), page.meta, page.dependencies.length], ['pre twice', { total: 5 }, 2])
  assert.deepEqual(await ask(app, 'base?per_page=0'), { dependencies: [], versions: [], meta: { total: 5 } })
})

test('reverse dependencies span what is local and what is kept of uplinks', async (t) => {
  const uplink = await startUplink(t, {
    crates: [
      crateFile('serde'),
      crateFile('json').dep('serde', '^1'),
      crateFile('unseen').dep('serde', '^1'),
      crateFile('shadowed').dep('serde', '^1'),
    ],
  })
  const packages = { '**': { publish: ['$authenticated'], proxy: ['up'], shadow: 'allow' as const } }
  const options = { prefetch: 0, uplinks: { up: uplinkOptions(uplink) }, packages }
  const app = await startApp(t, { options })
  for (const name of ['serde', 'json', 'shadowed']) await indexOf(app, name)
  await app.publish(crateFile('shadowed'))
  await app.publish(crateFile('ours').dep('serde', '^1'))
  const found = await ask(app, 'serde')
  assert.equal(names(found), 'ours json')
  assert.deepEqual(found.meta, { total: 2 })
  await uplink.stop()
  const later = await startApp(t, { host: { storage: app.storage }, options })
  assert.deepEqual(await ask(later, 'serde'), found)
})

test('reverse dependencies show nothing that the caller may not read', async (t) => {
  const packages = {
    'secret*': { access: ['ann'], publish: ['ann'] },
    '**': { access: ['$authenticated'], publish: ['ann'] },
  }
  const app = await startApp(t, { options: { packages } })
  for (const name of ['base', 'secret-base']) await app.publish(crateFile(name))
  for (const name of ['open-user', 'secret-user']) await app.publish(crateFile(name).dep('base', onOwn(app)))
  const [ann, bob] = [await ask(app, 'base', 'ann'), await ask(app, 'base', 'bob')]
  assert.deepEqual([names(ann), ann.meta], ['open-user secret-user', { total: 2 }])
  assert.deepEqual([names(bob), bob.meta], ['open-user', { total: 1 }])
  const path = (name: string) => `/api/v1/crates/${name}/reverse_dependencies`
  const hidden = await app.request(path('secret-base'), { as: 'bob' })
  const missing = await app.request(path('nothere-xx'), { as: 'bob' })
  assert.equal(hidden.status, 404)
  assert.equal(hidden.text.replaceAll('secret-base', 'X'), missing.text.replaceAll('nothere-xx', 'X'))
})
