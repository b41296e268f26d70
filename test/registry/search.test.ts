import assert from 'node:assert/strict'
import test from 'node:test'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { type OptionsInput, parseOptions } from '../../src/options.ts'
import type { CratesQuery } from '../../src/protocol/crates-query.ts'
import { type Caller, createAccess } from '../../src/registry/access.ts'
import { createCatalogue } from '../../src/registry/catalogue.ts'
import { createCrateSight } from '../../src/registry/lists/visible-crates.ts'
import { createPackageRules } from '../../src/registry/package-rules.ts'
import { type FoundCrates, searchCrates } from '../../src/registry/search.ts'
import { publishing, recordOf } from '../support/changes.ts'

const nobody: Caller = { principal: undefined, via: 'http://registry.test' }
const ann: Caller = { ...nobody, principal: { name: 'ann', groups: [] } }

type Search = (query: Partial<CratesQuery>, caller?: Caller) => Promise<FoundCrates>

/** A search over crates given as name, description and keywords. */
async function searchOver(
  crates: readonly (readonly [string, string, ...string[]])[],
  options: OptionsInput = {},
): Promise<Search> {
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const catalogue = createCatalogue({ storage: memoryStorage(), logger, monotonic: () => 0 })
  for (const [name, description, ...keywords] of crates) {
    const details = { size: 1, description, keywords, categories: [], authors: [] }
    catalogue.note(recordOf(publishing(name, '1.2.3', { details })))
  }
  await catalogue.flush()
  const auth = { authenticate: async () => undefined, authorize: async () => true }
  const rules = createPackageRules(parseOptions(options))
  const access = createAccess(parseOptions(options), rules, auth)
  const deps = {
    local: await catalogue.read(),
    sight: createCrateSight(access, rules),
    mayRead: async (caller: Caller, crate: string) => access.may(caller, 'read', crate),
    pause: async () => {},
    downloads: async () => ({ total: 0, crates: new Map() }),
  }
  return (query, caller = nobody) => searchCrates(deps, caller, { terms: [], perPage: 10, page: 1, ...query })
}

const names = ({ crates }: FoundCrates) => crates.map(({ name }) => name)

test('searchCrates() puts the name first, then its beginning, its middle, and the rest', async () => {
  const search = await searchOver([
    ['aaa', 'Talks about logs and Log'],
    ['bbb', '', 'log'],
    ['my-log', ''],
    ['log-b', ''],
    ['log-a', ''],
    ['Log', ''],
    ['zzz', 'nothing'],
  ])
  const found = await search({ terms: ['log'] })
  assert.deepEqual(names(found), ['Log', 'log-a', 'log-b', 'my-log', 'aaa', 'bbb'])
  assert.equal(found.meta.total, 6)
})

test('searchCrates() folds case, `-` and `_`', async () => {
  const search = await searchOver([['Foo-Bar', 'ÄPFEL']])
  for (const term of ['foo_bar', 'FOO-BAR', 'o-b', 'äpfel']) {
    assert.deepEqual(names(await search({ terms: [term] })), ['Foo-Bar'], term)
  }
})

test('searchCrates() wants every term somewhere', async () => {
  const search = await searchOver([
    ['http-log', 'fast', 'web'],
    ['log', 'slow', 'web'],
  ])
  assert.deepEqual(names(await search({ terms: ['log', 'web'] })), ['http-log', 'log'])
  assert.deepEqual(names(await search({ terms: ['web', 'fast', 'http'] })), ['http-log'])
  assert.deepEqual(await search({ terms: ['log', 'absent'] }), { crates: [], meta: { total: 0 } })
})

test('searchCrates() answers with version and description, all crates without terms', async () => {
  const search = await searchOver([
    ['b', 'The b'],
    ['a', 'The a'],
  ])
  const { crates, meta } = await search({})
  assert.deepEqual(
    crates.map(({ name, max_version, description }) => [name, max_version, description]),
    [
      ['a', '1.2.3', 'The a'],
      ['b', '1.2.3', 'The b'],
    ],
  )
  assert.deepEqual(meta, { total: 2 })
})

test('searchCrates() neither shows nor counts what the caller may not read', async () => {
  const crates = [
    ['open-a', 'x'],
    ['secret-b', 'x'],
    ['other-c', 'x'],
  ] as const
  const packages = { 'secret-*': { access: 'ann' }, 'open-*': { access: '$all' } }
  const search = await searchOver(crates, { packages })
  const [forNobody, forAnn] = [await search({ terms: ['x'] }), await search({ terms: ['x'] }, ann)]
  assert.deepEqual([names(forNobody), forNobody.meta.total], [['open-a'], 1])
  assert.deepEqual([names(forAnn), forAnn.meta.total], [['open-a', 'secret-b'], 2])
})

test('searchCrates() pages', async () => {
  const search = await searchOver(['e', 'c', 'a', 'd', 'b'].map((name) => [name, ''] as const))
  const pages: readonly (readonly [number, number, string])[] = [
    [2, 1, 'ab'],
    [2, 2, 'cd'],
    [2, 3, 'e'],
    [2, 4, ''],
    [0, 1, ''],
    [100, 1, 'abcde'],
  ]
  for (const [perPage, page, wanted] of pages) {
    const found = await search({ perPage, page })
    assert.equal(names(found).join(''), wanted, `${perPage} per page, page ${page}`)
    assert.equal(found.meta.total, 5)
  }
})
