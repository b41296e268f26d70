import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { encodeChange } from '../../src/protocol/change.ts'
import type { IndexEntry } from '../../src/protocol/index-entry.ts'
import { changeKey } from '../../src/registry/keys.ts'
import { type App, startApp } from '../support/app.ts'
import { indexEntry, publishing } from '../support/changes.ts'
import { crateFile } from '../support/crate-file.ts'
import { leastOf, workTime } from '../support/work-time.ts'

const VERSIONS = '/api/v1/crates/foo/versions'

interface VersionsAnswer {
  readonly versions: readonly { readonly num: string; readonly id: number }[]
  readonly meta: { readonly total: number; readonly next_page: string | null }
}

async function ask(app: App, query = '', path = VERSIONS): Promise<VersionsAnswer> {
  const { status, body } = await app.request(path + query)
  assert.equal(status, 200)
  return body as VersionsAnswer
}

const numbers = ({ versions }: VersionsAnswer) => versions.map(({ num }) => num)

/** The numbers on each page, as a client that follows `next_page` sees them. */
async function pages(app: App, first: string, path = VERSIONS): Promise<readonly (readonly string[])[]> {
  const seen: (readonly string[])[] = []
  for (let query: string | null = first; query !== null; ) {
    const page: VersionsAnswer = await ask(app, query, path)
    seen.push(numbers(page))
    query = page.meta.next_page
  }
  return seen
}

const PUBLISHED = ['1.0.0', '2.0.0-rc.1', '0.9.10', '0.9.9', '1.0.1']
const BY_SEMVER = ['2.0.0-rc.1', '1.0.1', '1.0.0', '0.9.10', '0.9.9']

async function startWith(t: Parameters<typeof startApp>[0], versions: readonly string[]): Promise<App> {
  const app = await startApp(t)
  for (const version of versions) await app.publish(crateFile('foo', version))
  return app
}

test('all versions are listed, highest first or latest first', async (t) => {
  const app = await startWith(t, PUBLISHED)
  const { meta, ...rest } = await ask(app)
  assert.deepEqual(meta, { total: 5, next_page: null })
  assert.deepEqual(numbers({ meta, ...rest }), BY_SEMVER)
  assert.deepEqual(numbers(await ask(app, '?sort=semver')), BY_SEMVER)
  assert.deepEqual(numbers(await ask(app, '?sort=date')), PUBLISHED.toReversed())
})

test('versions come in pages, each telling the next', async (t) => {
  const app = await startWith(t, PUBLISHED)
  assert.deepEqual(await pages(app, '?per_page=2'), [BY_SEMVER.slice(0, 2), BY_SEMVER.slice(2, 4), ['0.9.9']])
  assert.deepEqual(await pages(app, '?per_page=5'), [BY_SEMVER])
  assert.deepEqual(await pages(app, '?per_page=3&sort=date'), [
    ['1.0.1', '0.9.9', '0.9.10'],
    ['2.0.0-rc.1', '1.0.0'],
  ])
  const first = await ask(app, '?per_page=1&sort=date')
  assert.equal(first.meta.next_page, `?per_page=1&sort=date&seek=${first.versions[0]?.id}`)
  assert.equal(first.meta.total, 5)
  assert.deepEqual(numbers(await ask(app, '?per_page=2&page=2')), BY_SEMVER.slice(2, 4))
  assert.deepEqual((await ask(app, '?per_page=2&page=4')).versions, [])
  assert.deepEqual(await ask(app, '?per_page=2&seek=1'), {
    versions: [],
    meta: { total: 5, next_page: null },
  })
})

test('versions are asked for by number', async (t) => {
  const app = await startWith(t, PUBLISHED)
  const query = '?nums[]=1.0.0&nums[]=0.9.9&nums[]=7.0.0'
  assert.deepEqual(numbers(await ask(app, query)), ['1.0.0', '0.9.9'])
  assert.equal((await ask(app, query)).meta.total, 2)
  assert.deepEqual(await pages(app, `${query}&per_page=1`), [['1.0.0'], ['0.9.9']])
})

test('what cannot be read in the query is named', async (t) => {
  const app = await startWith(t, ['1.0.0'])
  for (const [query, detail] of [
    ['?sort=size', 'invalid sort `size`: must be `semver` or `date`'],
    ['?per_page=many', 'invalid per_page `many`: must be a number from 0 to 100'],
    ['?per_page=1&seek=x', 'invalid seek `x`: must be a number'],
    ['?per_page=1&page=0', 'invalid page `0`: must be a number'],
  ] as const) {
    const { status, body } = await app.request(VERSIONS + query)
    assert.equal(status, 400, query)
    assert.deepEqual(body, { errors: [{ detail }] })
  }
})

test('a page of two thousand versions costs about what a page of two hundred does', async (t) => {
  const storage = memoryStorage()
  const app = await startApp(t, { host: { storage } })
  const write = async (name: string, count: number) => {
    for (let n = 1; n <= count; n++) {
      const change = publishing(name, `0.${n % 50}.${n}`, { entry: wideEntry(name, `0.${n % 50}.${n}`) })
      await storage.put(changeKey(name, n), encodeChange(change))
    }
  }
  await write('small', 200)
  await write('large', 2000)
  const cost = async (name: string) => {
    const path = `/api/v1/crates/${name}/versions?per_page=100`
    assert.equal(((await app.request(path)).body as VersionsAnswer).versions.length, 100)
    const elapsed = workTime()
    for (let n = 0; n < 20; n++) await app.request(path)
    return elapsed() / 20
  }
  const { small, large } = await leastOf(5, async () => ({
    small: await cost('small'),
    large: await cost('large'),
  }))
  assert.ok(large < 3 * small + 5, `${large} ms for one of 2000, ${small} ms for one of 200`)
  const followed = await pages(app, '?per_page=100', '/api/v1/crates/large/versions')
  assert.deepEqual([followed.length, new Set(followed.flat()).size], [20, 2000])
})

function wideEntry(name: string, vers: string): IndexEntry {
  const features = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`feature-${n}`, [`dep:d${n}`]]))
  return indexEntry({ name, vers, features })
}
