import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

type Json = Readonly<Record<string, unknown>>

async function search(app: App, query: string) {
  const { status, body } = await app.request(`/api/v1/crates${query}`)
  assert.equal(status, 200)
  const { crates, meta } = body as { crates: { name: string }[]; meta: { total: number } }
  return { names: crates.map(({ name }) => name), total: meta.total }
}

async function filled(context: Parameters<typeof startApp>[0]): Promise<App> {
  const app = await startApp(context)
  for (const name of ['log', 'log-derive', 'catalog', 'other']) await app.publish(crateFile(name))
  await app.publish(crateFile('mine').package({ description: 'keeps a log', keywords: ['time'] }))
  return app
}

test('search finds by name, description and keyword, best first', async (t) => {
  const app = await filled(t)
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['?q=log', ['log', 'log-derive', 'catalog', 'mine']],
    ['?q=LOG_DERIVE', ['log-derive']],
    ['?q=time', ['mine']],
    ['?q=log%2Btime', ['mine']],
    ['?q=log+time', ['mine']],
    ['?q=nothing', []],
    ['', ['catalog', 'log', 'log-derive', 'mine', 'other']],
  ]
  for (const [query, names] of cases) {
    assert.deepEqual(await search(app, query), { names, total: names.length }, query)
  }
})

test('search answers as cargo reads it', async (t) => {
  const app = await startApp(t)
  for (const version of ['1.0.0', '2.0.0-rc.1', '0.9.0']) await app.publish(crateFile('foo', version))
  const { headers, body } = await app.request('/api/v1/crates?q=foo')
  assert.equal(headers.get('cache-control'), 'no-cache')
  const { crates, meta } = body as { crates: Readonly<Record<string, unknown>>[]; meta: { total: number } }
  assert.deepEqual(
    // As crates.io, whose search takes the highest of all that are not yanked; its pages show the default version.
    crates.map(({ name, max_version, description }) => ({ name, max_version, description })),
    [{ name: 'foo', max_version: '2.0.0-rc.1', description: 'The crate foo' }],
  )
  assert.equal(meta.total, 1)
})

test('search and the crate itself tell the same versions', async (t) => {
  const app = await startApp(t)
  const versions = ['0.1.0-a', '1.0.0', '2.0.0-rc.1', '0.9.0']
  const fields = [
    'default_version',
    'max_version',
    'max_stable_version',
    'newest_version',
    'yanked',
    'num_versions',
  ]
  const told = (crate: Json = {}) => fields.map((field) => crate[field])
  const agree = async (wanted: readonly unknown[]) => {
    const { crate } = (await app.request('/api/v1/crates/foo')).body as { crate: Json }
    const { crates } = (await app.request('/api/v1/crates?q=foo')).body as { crates: readonly Json[] }
    assert.deepEqual(told(crates[0]), wanted)
    assert.deepEqual(told(crate), wanted)
  }
  for (const version of versions) await app.publish(crateFile('foo', version))
  await agree(['1.0.0', '2.0.0-rc.1', '1.0.0', '0.9.0', false, 4])
  const yank = (version: string) =>
    app.request(`/api/v1/crates/foo/${version}/yank`, { method: 'DELETE', as: 'ann' })
  for (const version of ['1.0.0', '0.9.0']) await yank(version)
  await agree(['2.0.0-rc.1', '2.0.0-rc.1', null, '2.0.0-rc.1', false, 4])
  for (const version of ['0.1.0-a', '2.0.0-rc.1']) await yank(version)
  await agree(['1.0.0', '1.0.0', null, '1.0.0', true, 4])
})

test('search pages, and always tells the total', async (t) => {
  const app = await filled(t)
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['?per_page=2', ['catalog', 'log']],
    ['?per_page=2&page=2', ['log-derive', 'mine']],
    ['?per_page=2&page=3', ['other']],
    ['?per_page=2&page=4', []],
    ['?per_page=0', []],
    ['?per_page=100', ['catalog', 'log', 'log-derive', 'mine', 'other']],
  ]
  for (const [query, names] of cases) assert.deepEqual(await search(app, query), { names, total: 5 }, query)
})

test('search refuses numbers that are none, and more than crates.io gives', async (t) => {
  const app = await startApp(t)
  const cases = [
    ['?per_page=ten', 'invalid per_page `ten`: must be a number from 0 to 100'],
    ['?per_page=-1', 'invalid per_page `-1`: must be a number from 0 to 100'],
    ['?per_page=101', 'invalid per_page `101`: must be a number from 0 to 100'],
    ['?page=0', 'invalid page `0`: must be a number from 1 to 999999'],
    ['?page=x', 'invalid page `x`: must be a number from 1 to 999999'],
  ]
  for (const [query, detail] of cases) {
    const { status, body } = await app.request(`/api/v1/crates${query}`)
    assert.equal(status, 400, query)
    assert.deepEqual(body, { errors: [{ detail }] })
  }
})
