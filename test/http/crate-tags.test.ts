import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

type Json = Readonly<Record<string, unknown>>

async function ask(app: App, path: string): Promise<Json> {
  const { status, body } = await app.request(`/api/v1/${path}`)
  assert.equal(status, 200, path)
  return body as Json
}

/** Without the times, which are those of the test. */
function untimed(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, one) => (key === 'created_at' ? undefined : one)))
}

async function tagged(context: Parameters<typeof startApp>[0]): Promise<App> {
  const app = await startApp(context)
  const crates = [
    crateFile('aa').package({ keywords: ['web', 'fast'], categories: ['net', 'net::http'] }),
    crateFile('bb').package({ keywords: ['Web'], categories: ['net::http'] }),
    crateFile('cc').package({ keywords: ['zip'], categories: ['net::http::server', 'games'] }),
  ]
  for (const crate of crates) await app.publish(crate)
  return app
}

const keyword = (id: string, crates_cnt: number) => ({ id, keyword: id, crates_cnt })
const category = (slug: string, crates_cnt: number) => ({
  ...{ id: slug, category: slug.split('::').at(-1), slug, description: '', crates_cnt },
})

test('keywords are listed, counted and paged', async (t) => {
  const app = await tagged(t)
  const [fast, web, zip] = [keyword('fast', 1), keyword('web', 2), keyword('zip', 1)]
  const cases: readonly (readonly [string, readonly Json[]])[] = [
    ['keywords', [fast, web, zip]],
    ['keywords?sort=alpha&per_page=2', [fast, web]],
    ['keywords?sort=crates', [web, fast, zip]],
    ['keywords?sort=crates&per_page=2&page=2', [zip]],
    ['keywords?page=3', []],
  ]
  for (const [path, keywords] of cases)
    assert.deepEqual(untimed(await ask(app, path)), { keywords, meta: { total: 3 } }, path)
  const { keyword: one } = (await ask(app, 'keywords/WEB')) as { keyword: Json }
  assert.match(String(one['created_at']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.deepEqual(untimed(one), web)
  const missing = await app.request('/api/v1/keywords/we')
  assert.equal(missing.status, 404)
  assert.deepEqual(missing.body, { errors: [{ detail: 'keyword `we` does not exist' }] })
})

test('categories count what is below them', async (t) => {
  const app = await tagged(t)
  const [games, net] = [category('games', 1), category('net', 3)]
  const [http, server] = [category('net::http', 3), category('net::http::server', 1)]
  const meta = { total: 2 }
  assert.deepEqual(untimed(await ask(app, 'categories')), { categories: [games, net], meta })
  assert.deepEqual(untimed(await ask(app, 'categories?sort=crates&per_page=1')), { categories: [net], meta })
  const around = (parents: readonly Json[], children: readonly Json[]) => ({
    subcategories: children,
    parent_categories: parents,
  })
  const cases: readonly (readonly [string, Json])[] = [
    ['net', { ...net, ...around([], [http]) }],
    ['net%3A%3Ahttp', { ...http, ...around([net], [server]) }],
    ['Net::Http::Server', { ...server, ...around([net, http], []) }],
  ]
  for (const [slug, wanted] of cases)
    assert.deepEqual(untimed(await ask(app, `categories/${slug}`)), { category: wanted }, slug)
  const missing = await app.request('/api/v1/categories/htt')
  assert.deepEqual(
    [missing.status, missing.body],
    [404, { errors: [{ detail: 'category `htt` does not exist' }] }],
  )
  const slugs = ['games', 'net', 'net::http', 'net::http::server']
  assert.deepEqual(await ask(app, 'category_slugs'), {
    category_slugs: slugs.map((slug) => ({ id: slug, slug, description: '' })),
  })
})

test('the summary says what there is, what is new, and what is popular', async (t) => {
  const app = await tagged(t)
  const summary = await ask(app, 'summary')
  assert.deepEqual(Object.keys(summary), [
    ...['num_crates', 'num_downloads', 'new_crates', 'most_downloaded', 'most_recently_downloaded'],
    ...['just_updated', 'popular_keywords', 'popular_categories'],
  ])
  assert.deepEqual([summary['num_crates'], summary['num_downloads']], [3, 0])
  const namesIn = (key: string) => (summary[key] as Json[]).map(({ name }) => name).sort()
  for (const key of ['new_crates', 'most_downloaded', 'most_recently_downloaded'])
    assert.deepEqual(namesIn(key), ['aa', 'bb', 'cc'], key)
  assert.deepEqual(summary['just_updated'], [])
  assert.deepEqual(untimed(summary['popular_keywords']), [
    keyword('web', 2),
    keyword('fast', 1),
    keyword('zip', 1),
  ])
  assert.deepEqual(untimed(summary['popular_categories']), [category('net', 3), category('games', 1)])
  const [first] = summary['new_crates'] as Json[]
  const { body } = await app.request(`/api/v1/crates?q=${first?.['name']}`)
  const [same] = (body as { crates: Json[] }).crates
  assert.deepEqual({ ...first, exact_match: true }, same)
})
