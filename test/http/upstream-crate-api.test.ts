import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crateFile } from '../support/crate-file.ts'
import { startProxy } from './upstream-app.ts'

const CRATES = '/api/v1/crates'

interface CrateAnswer {
  readonly crate: Readonly<Record<string, unknown>>
  readonly versions: readonly Readonly<Record<string, unknown>>[]
}

/** The versions in an answer, with `!` where they are yanked. */
function versionsIn(body: unknown): readonly string[] {
  return (body as CrateAnswer).versions.map(({ num, yanked }) => (yanked === true ? `${num}!` : String(num)))
}

test("a proxied crate is told as far as its uplink's index tells", async (t) => {
  const { app } = await startProxy(t, {
    uplink: { crates: [crateFile('foo', '1.0.0').feature('std'), crateFile('foo', '1.1.0')] },
  })
  const { status, body } = await app.request(`${CRATES}/foo`)
  assert.equal(status, 200)
  assert.deepEqual(versionsIn(body), ['1.1.0', '1.0.0'])
  const { crate, versions } = body as CrateAnswer
  assert.equal(crate['created_at'], '2020-01-02T03:04:05Z')
  assert.equal(crate['description'], null)
  assert.deepEqual(crate['keywords'], [])
  const { features, license, crate_size, published_by, created_at } = versions[1] ?? {}
  assert.deepEqual(features, { std: [] })
  assert.deepEqual(
    [license, crate_size, published_by, created_at],
    [null, null, null, '2020-01-02T03:04:05Z'],
  )
})

test('a version that the rules deny is not told, and one that they hold back is yanked', async (t) => {
  const { app } = await startProxy(t, {
    uplink: {
      crates: [
        crateFile('foo', '1.0.0'),
        crateFile('foo', '1.1.0'),
        { crate: crateFile('foo', '1.2.0'), pubtime: `${new Date().toISOString().slice(0, 19)}Z` },
        crateFile('bad'),
      ],
    },
    options: { packages: { '**': { proxy: ['up'], min_age: '7d', deny: ['foo@=1.1.0', 'bad: it is bad'] } } },
  })
  const { body } = await app.request(`${CRATES}/foo`)
  assert.deepEqual(versionsIn(body), ['1.2.0!', '1.0.0'])
  assert.equal((body as CrateAnswer).crate['default_version'], '1.0.0')
  assert.equal((body as CrateAnswer).crate['num_versions'], 2)
  const denied = await app.request(`${CRATES}/bad`)
  assert.equal(denied.status, 403)
  assert.deepEqual(
    app.events.map(({ kind, crate }) => [kind, crate]),
    [['denied', 'bad']],
  )
})

test('a proxied crate is found with `-` for `_`, and the other way round', async (t) => {
  const { app, uplink } = await startProxy(t, {
    uplink: { crates: [crateFile('foo_bar_baz'), crateFile('Dash-Ed')] },
  })
  for (const [asked, name] of [
    ['foo_bar_baz', 'foo_bar_baz'],
    ['foo-bar-baz', 'foo_bar_baz'],
    ['Foo-bar_baz', 'foo_bar_baz'],
    ['dash_ed', 'Dash-Ed'],
  ] as const) {
    const { body } = await app.request(`${CRATES}/${asked}`)
    assert.equal((body as CrateAnswer).crate['name'], name, asked)
  }
  await uplink.stop()
  assert.equal((await app.request(`${CRATES}/foo-bar-baz`)).status, 200)
  assert.equal((await app.request(`${CRATES}/never-seen`)).status, 503)
})
