import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

const CRATES = '/api/v1/crates'
type Json = Readonly<Record<string, unknown>>

async function ask(app: App, path: string, as?: string): Promise<Json> {
  const { status, body } = await app.request(path, as === undefined ? {} : { as })
  assert.equal(status, 200, path)
  return body as Json
}

async function names(app: App, query: string, as?: string): Promise<string> {
  const { crates } = await ask(app, `${CRATES}${query}`, as)
  return (crates as Json[]).map(({ name }) => name).join(' ')
}

/** Waits for the next second: what is published in it is newer. */
async function nextSecond(): Promise<void> {
  const now = Date.now()
  await new Promise((resolve) => setTimeout(resolve, 1010 - (now % 1000)))
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

test('a list shows crates in the shape of crates.io', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile('my-lib', '1.0.0').package({ description: 'Old' }))
  const about = {
    description: 'Does things',
    keywords: ['things'],
    categories: ['web-programming'],
    homepage: 'https://lib.example/',
    documentation: 'https://lib.example/docs',
    repository: 'https://git.example/lib',
  }
  await app.publish(crateFile('my-lib', '1.1.0').package(about))
  const { crates, meta } = await ask(app, `${CRATES}?q=My_Lib`)
  const [{ created_at, updated_at, ...crate } = {}] = crates as Json[]
  assert.match(String(created_at), TIME)
  assert.match(String(updated_at), TIME)
  const path = '/cargo/api/v1/crates/my-lib'
  assert.deepEqual(crate, {
    id: 'my-lib',
    name: 'my-lib',
    versions: null,
    keywords: null,
    categories: null,
    badges: [],
    downloads: 0,
    recent_downloads: 0,
    default_version: '1.1.0',
    num_versions: 2,
    yanked: false,
    max_version: '1.1.0',
    newest_version: '1.1.0',
    max_stable_version: '1.1.0',
    description: 'Does things',
    homepage: 'https://lib.example/',
    documentation: 'https://lib.example/docs',
    repository: 'https://git.example/lib',
    links: {
      version_downloads: `${path}/downloads`,
      versions: `${path}/versions`,
      owners: `${path}/owners`,
      owner_team: `${path}/owner_team`,
      owner_user: `${path}/owner_user`,
      reverse_dependencies: `${path}/reverse_dependencies`,
    },
    exact_match: true,
    trustpub_only: false,
  })
  assert.deepEqual(meta, { total: 1, next_page: null, prev_page: null })
})

test('a list says where the pages around it are', async (t) => {
  const app = await startApp(t)
  for (const name of ['a-x', 'b-x', 'c-x', 'd-x', 'e-x']) await app.publish(crateFile(name))
  const cases: readonly (readonly [string, string, string | null, string | null])[] = [
    ['?q=x&per_page=2', 'a-x b-x', '?q=x&per_page=2&page=2', null],
    ['?page=2&per_page=2&q=x', 'c-x d-x', '?page=3&per_page=2&q=x', '?page=1&per_page=2&q=x'],
    ['?per_page=2&page=3', 'e-x', null, '?per_page=2&page=2'],
    ['?per_page=5', 'a-x b-x c-x d-x e-x', null, null],
    ['?per_page=0', '', null, null],
    ['?page=9', '', null, '?page=8'],
  ]
  for (const [query, found, next_page, prev_page] of cases) {
    assert.equal(await names(app, query), found, query)
    const { meta } = await ask(app, CRATES + query)
    assert.deepEqual(meta, { total: 5, next_page, prev_page }, query)
  }
})

test('a list is in the order that is asked for', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile('m-first'))
  await nextSecond()
  await app.publish(crateFile('z-second'))
  await app.publish(crateFile('b').package({ description: 'not m' }))
  await nextSecond()
  await app.publish(crateFile('m-first', '1.1.0'))
  const cases: readonly (readonly [string, string])[] = [
    ['', 'b m-first z-second'],
    ['?sort=alpha', 'b m-first z-second'],
    ['?sort=new', 'b z-second m-first'],
    ['?sort=recent-updates', 'm-first b z-second'],
    ['?q=m', 'm-first b'],
    ['?q=m&sort=relevance', 'm-first b'],
    ['?q=m&sort=alpha', 'b m-first'],
  ]
  for (const [query, found] of cases) assert.equal(await names(app, query), found, query)
})

test('a list can be in the order of downloads', async (t) => {
  const app = await startApp(t)
  for (const name of ['aa', 'bb', 'cc']) await app.publish(crateFile(name))
  for (const name of ['bb', 'cc', 'cc']) await app.request(`${CRATES}/${name}/1.0.0/download`)
  await app.close()
  const later = await startApp(t, { host: { storage: app.storage } })
  for (const sort of ['downloads', 'recent-downloads'])
    assert.equal(await names(later, `?sort=${sort}`), 'cc bb aa', sort)
  const { crates } = await ask(later, `${CRATES}?q=cc`)
  const [{ downloads, recent_downloads } = {}] = crates as Json[]
  assert.deepEqual([downloads, recent_downloads], [2, 2])
  const summary = await ask(later, '/api/v1/summary')
  assert.equal(summary['num_downloads'], 3)
  const most = (key: string) => (summary[key] as Json[]).map(({ name }) => name).join(' ')
  assert.equal(most('most_downloaded'), 'cc bb aa')
  assert.equal(most('most_recently_downloaded'), 'cc bb aa')
})

test('a list can be narrowed by letter, keyword, category and names', async (t) => {
  const app = await startApp(t)
  const crates = [
    crateFile('apple').package({ keywords: ['fruit', 'red-ish'], categories: ['food'] }),
    crateFile('Avocado').package({ keywords: ['fruit'], categories: ['food::green'] }),
    crateFile('axle').package({ keywords: ['fruitless'], categories: ['foodstuff'] }),
    crateFile('banana-split').package({ keywords: ['Fruit'], categories: ['food', 'games'] }),
  ]
  for (const crate of crates) await app.publish(crate)
  const cases: readonly (readonly [string, string])[] = [
    ['?letter=a', 'apple Avocado axle'],
    ['?letter=B', 'banana-split'],
    ['?letter=z', ''],
    ['?keyword=fruit', 'apple Avocado banana-split'],
    ['?keyword=red-ish', 'apple'],
    ['?keyword=red_ish', ''],
    ['?keyword=fru', ''],
    ['?category=food', 'apple Avocado banana-split'],
    ['?category=food%3A%3Agreen', 'Avocado'],
    ['?category=Games', 'banana-split'],
    ['?ids[]=banana_SPLIT&ids[]=apple&ids[]=nothing&ids[]=Apple', 'apple banana-split'],
    ['?ids[]=apple&letter=b', ''],
    ['?ids[]=apple&keyword=fruit&q=app', 'apple'],
    ['?q=banana&keyword=fruit&category=games&letter=b', 'banana-split'],
    ['?q=fruit&letter=a', 'apple Avocado axle'],
  ]
  for (const [query, found] of cases) {
    assert.equal(await names(app, query), found, query)
    const { meta } = await ask(app, CRATES + query)
    assert.equal((meta as Json)['total'], found.split(' ').filter(Boolean).length, query)
  }
})

test('a list refuses what it cannot read', async (t) => {
  const app = await startApp(t)
  const orders = '`relevance`, `alpha`, `downloads`, `recent-downloads`, `recent-updates`, `new`'
  const cases: readonly (readonly [string, string])[] = [
    [`${CRATES}?sort=best`, `invalid sort \`best\`: must be one of ${orders}`],
    [`${CRATES}?letter=ab`, 'invalid letter `ab`: must be one of a to z'],
    [`${CRATES}?page=0`, 'invalid page `0`: must be a number from 1 to 999999'],
    ['/api/v1/keywords?sort=new', 'invalid sort `new`: must be one of `alpha`, `crates`'],
    ['/api/v1/categories?page=x', 'invalid page `x`: must be a number from 1 to 999999'],
    [`${CRATES}/foo/reverse_dependencies?per_page=x`, 'invalid per_page `x`: must be a number from 0 to 100'],
    [`${CRATES}/foo/versions?per_page=101`, 'invalid per_page `101`: must be a number from 0 to 100'],
    [
      `${CRATES}/foo/reverse_dependencies?per_page=101`,
      'invalid per_page `101`: must be a number from 0 to 100',
    ],
    ['/api/v1/keywords?per_page=101', 'invalid per_page `101`: must be a number from 0 to 100'],
  ]
  for (const [path, detail] of cases) {
    const { status, body } = await app.request(path)
    assert.deepEqual([status, body], [400, { errors: [{ detail }] }], path)
  }
})

test('lists forget what is removed', async (t) => {
  const packages = { '**': { publish: ['ann'], unpublish: ['ann'] } }
  const app = await startApp(t, { options: { packages } })
  const about = { keywords: ['rare'], categories: ['games'] }
  await app.publish(crateFile('gone').package(about))
  await app.publish(crateFile('kept', '1.0.0'))
  await app.publish(crateFile('kept', '2.0.0').package(about))
  assert.equal(((await ask(app, '/api/v1/keywords/rare'))['keyword'] as Json)['crates_cnt'], 2)
  await app.request(`${CRATES}/gone`, { method: 'DELETE', as: 'ann' })
  await app.request(`${CRATES}/kept/2.0.0`, { method: 'DELETE', as: 'ann' })
  assert.equal(await names(app, ''), 'kept')
  assert.deepEqual((await ask(app, '/api/v1/keywords'))['keywords'], [])
  assert.deepEqual((await ask(app, '/api/v1/category_slugs'))['category_slugs'], [])
  assert.equal((await app.request('/api/v1/keywords/rare')).status, 404)
  const { num_crates, new_crates } = await ask(app, '/api/v1/summary')
  assert.deepEqual([num_crates, (new_crates as Json[]).map(({ max_version }) => max_version)], [1, ['1.0.0']])
})
