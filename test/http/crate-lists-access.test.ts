import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostAuth } from '../../src/host.ts'
import { additionKey, snapshotKey } from '../../src/registry/keys.ts'
import { type App, type AppSpec, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

const CRATES = ['open-a', 'open-b', 'secret-c', 'secret-d']
const PATHS = [
  ...[
    'crates',
    'crates?q=crate',
    'crates?sort=new',
    'crates?letter=s',
    'crates?keyword=kw',
    'crates?category=games',
  ],
  ...['crates?ids[]=secret-c&ids[]=open-a', 'crates?per_page=1&page=2', 'crates?keyword=secret-kw'],
  ...[
    'keywords',
    'keywords/kw',
    'keywords/secret-kw',
    'categories',
    'categories/games',
    'categories/secrets',
  ],
  ...['category_slugs', 'summary'],
]

/** Some crates, those with `secret` in their names or without. */
async function filled(
  context: Parameters<typeof startApp>[0],
  spec: AppSpec,
  isPublished: (name: string) => boolean,
): Promise<App> {
  const app = await startApp(context, spec)
  for (const name of CRATES.filter(isPublished)) {
    const isSecret = name.startsWith('secret')
    const keywords = isSecret ? ['kw', 'secret-kw'] : ['kw']
    const categories = isSecret ? ['games', 'secrets'] : ['games']
    await app.publish(crateFile(name).package({ keywords, categories }))
  }
  return app
}

/** Every list as `as` sees it. */
async function everything(app: App, as: string): Promise<readonly unknown[]> {
  const answers = await Promise.all(PATHS.map((path) => app.request(`/api/v1/${path}`, { as })))
  return answers.map(({ status, text }, index) => [
    ...[PATHS[index], status],
    text.replace(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"/g, '"TIME"'),
  ])
}

const NOON = Date.parse('2026-01-02T12:00:00Z')
const isOpen = (name: string) => !name.startsWith('secret')
/** The name is the token. */
const byName: HostAuth['authenticate'] = async (name) =>
  name === undefined ? undefined : { name, groups: [] }
const onlyOpen: HostAuth['authorize'] = async (who, _, crate) =>
  who?.name === 'ann' || crate === undefined || isOpen(crate)

test('lists are as if there were only what the rules let the caller read', async (t) => {
  // Two crates are as new as each other, in every registry: not one of them just behind the turn of a second.
  t.mock.timers.enable({ apis: ['Date'], now: NOON })
  const packages = {
    'secret*': { access: ['ann'], publish: ['ann'] },
    '**': { access: ['$authenticated'], publish: ['ann'] },
  }
  const whole = await filled(t, { options: { packages } }, () => true)
  const open = await filled(t, { options: { packages } }, isOpen)
  assert.deepEqual(await everything(whole, 'bob'), await everything(open, 'bob'))
  assert.notDeepEqual(await everything(whole, 'ann'), await everything(open, 'ann'))
  // What one caller was told is not told to the next.
  assert.deepEqual(await everything(whole, 'bob'), await everything(open, 'bob'))
})

test('lists are as if there were only what the host lets the caller read', async (t) => {
  // Two crates are as new as each other, in every registry: not one of them just behind the turn of a second.
  t.mock.timers.enable({ apis: ['Date'], now: NOON })
  const options = { packages: { '**': { access: ['$authenticated'], publish: ['ann'] } } }
  const start = (authorize: HostAuth['authorize'], isPublished: (name: string) => boolean) =>
    filled(t, { options, host: { auth: { authenticate: byName, authorize } } }, isPublished)
  const whole = await start(onlyOpen, () => true)
  const open = await start(onlyOpen, isOpen)
  assert.deepEqual(await everything(whole, 'bob'), await everything(open, 'bob'))
  assert.notDeepEqual(await everything(whole, 'ann'), await everything(open, 'ann'))
})

test('lists do without what is damaged in the catalogue, and are whole again when crates are read', async (t) => {
  const app = await filled(t, {}, () => true)
  await app.close()
  const { storage } = app
  await storage.put(additionKey(2), Buffer.from('{"schema":1,"entries":[]}'))
  await storage.put(additionKey(3), Buffer.from('[{'))
  await storage.put(snapshotKey(2), Buffer.from('{"schema":2,"entries":[]}\n'))
  const later = await startApp(t, { host: { storage } })
  const total = async () =>
    ((await later.request('/api/v1/summary')).body as { num_crates: number }).num_crates
  assert.equal(await total(), 2)
  assert.equal(later.errors.filter(({ message }) => message.startsWith('integrity:')).length, 3)
  for (const name of CRATES) await later.request(`/api/v1/crates/${name}`)
  assert.equal(await total(), 4)
})

test('entries that an older version stored are listed, and renewed when their crate is read', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile('old-one').package({ keywords: ['kw'], categories: ['games'] }))
  await app.close()
  const { storage } = app
  const entry = {
    name: 'old-one',
    n: 1,
    max_version: '1.0.0',
    description: 'Old',
    keywords: ['kw'],
    updated: '2026-01-02T03:04:05Z',
  }
  await storage.put(additionKey(1), Buffer.from(JSON.stringify([entry])))
  const later = await startApp(t, { host: { storage } })
  const ask = async (path: string) => (await later.request(`/api/v1/${path}`)).body
  const { crates } = (await ask('crates?keyword=kw')) as { crates: Record<string, unknown>[] }
  const { name, created_at, num_versions, description } = crates[0] ?? {}
  assert.deepEqual(
    [name, created_at, num_versions, description],
    ['old-one', '2026-01-02T03:04:05Z', 1, 'Old'],
  )
  assert.equal((await later.request('/api/v1/categories/games')).status, 404)
  await later.request('/ol/d-/old-one')
  assert.equal((await later.request('/api/v1/categories/games')).status, 200)
  await later.close()
  const last = await startApp(t, { host: { storage } })
  assert.equal((await last.request('/api/v1/categories/games')).status, 200)
})
