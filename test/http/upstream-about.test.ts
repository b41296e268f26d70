import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from '../support/app.ts'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { sha256 } from '../support/download.ts'
import { startUplink, type Uplink } from '../support/uplink.ts'
import { settled } from './proxied.ts'
import { indexOf, startProxy, uplinkOptions } from './upstream-app.ts'

const CRATES = '/api/v1/crates'
const FOO = `${CRATES}/foo`
/** The uplink's API about a crate, whatever of it. */
const API = /^\/api\/v1\/crates\//

interface CrateAnswer {
  readonly crate: Readonly<Record<string, unknown>>
  readonly versions: readonly Readonly<Record<string, unknown>>[]
}

async function tell(app: App, path = FOO): Promise<CrateAnswer> {
  const { status, body, text } = await app.request(path)
  assert.equal(status, 200, text)
  return body as CrateAnswer
}

/** The answer that there would be without any API. */
function assertIndexOnly({ crate, versions }: CrateAnswer, why: string): void {
  const { name, description, keywords, repository } = crate
  assert.deepEqual({ name, description, keywords, repository }, { ...NOTHING, keywords: [] }, why)
  const [{ num, license, crate_size, published_by, checksum } = {}] = versions
  assert.deepEqual([num, license, crate_size, published_by], ['1.0.0', null, null, null], why)
  assert.equal(checksum, sha256(crateFile('foo').bytes()), why)
}

const NOTHING = { name: 'foo', description: null, repository: null }

test("a proxied crate is told with what its uplink's API says of it", async (t) => {
  const file = crateFile('foo', '1.0.0').feature('std').package({ links: 'z' })
  const { app, uplink } = await startProxy(t, { uplink: { crates: [file], api: true } })
  const { crate, versions, ...rest } = await tell(app)
  const at = '2020-01-02T03:04:05Z'
  const about = {
    description: 'The crate foo',
    homepage: null,
    documentation: 'https://docs.example/foo',
    repository: 'https://git.example/foo',
  }
  const [path, { id } = {}] = [`/cargo${FOO}`, versions[0]]
  assert.deepEqual(crate, {
    id: 'foo',
    name: 'foo',
    updated_at: at,
    versions: [id],
    keywords: ['web', 'fast'],
    categories: ['os::unix-apis'],
    badges: [],
    created_at: at,
    // Those through this registry.
    downloads: 0,
    recent_downloads: 0,
    default_version: '1.0.0',
    num_versions: 1,
    yanked: false,
    max_version: '1.0.0',
    newest_version: '1.0.0',
    max_stable_version: '1.0.0',
    ...about,
    links: {
      version_downloads: `${path}/downloads`,
      versions: null,
      owners: `${path}/owners`,
      owner_team: `${path}/owner_team`,
      owner_user: `${path}/owner_user`,
      reverse_dependencies: `${path}/reverse_dependencies`,
    },
    exact_match: false,
    trustpub_only: false,
  })
  assert.deepEqual(versions, [
    {
      id,
      crate: 'foo',
      num: '1.0.0',
      dl_path: `${path}/1.0.0/download`,
      readme_path: `${path}/1.0.0/readme`,
      updated_at: at,
      created_at: at,
      downloads: 0,
      features: { std: [] },
      yanked: false,
      yank_message: null,
      lib_links: 'z',
      license: 'MIT OR Apache-2.0',
      links: {
        dependencies: `${path}/1.0.0/dependencies`,
        version_downloads: `${path}/1.0.0/downloads`,
        authors: `${path}/1.0.0/authors`,
      },
      crate_size: file.bytes().length,
      published_by: { id: 3007405278, login: 'dtolnay', name: null, avatar: null, url: '' },
      audit_actions: [],
      checksum: sha256(file.bytes()),
      rust_version: null,
      has_lib: true,
      bin_names: [],
      edition: '2021',
      ...about,
      trustpub_data: null,
      linecounts: null,
    },
  ])
  assert.deepEqual(Object.keys(rest), ['keywords', 'categories'])
  await tell(app, `${CRATES}/FOO?include=`)
  await app.request(`${FOO}/1.0.0`)
  assert.deepEqual(
    uplink.requests.map(({ path: asked }) => asked).filter((asked) => API.test(asked)),
    [`${FOO}?include=versions%2Ckeywords%2Ccategories`],
  )
})

test('owners of a proxied crate are those that its uplink names', async (t) => {
  const { app } = await startProxy(t, { uplink: { crates: [crateFile('foo')], api: true } })
  const { body } = await app.request(`${FOO}/owners`)
  const { users } = body as { users: readonly object[] }
  assert.deepEqual(users[0], {
    id: 3618,
    login: 'dtolnay',
    kind: 'user',
    name: 'David Tolnay',
    avatar: 'https://avatars.example/1',
    url: 'https://github.example/dtolnay',
  })
  assert.deepEqual((await app.request(`${FOO}/owner_user`)).body, { users: users.slice(0, 1) })
  assert.deepEqual((await app.request(`${FOO}/owner_team`)).body, { teams: users.slice(1) })
})

test('owners of a proxied crate are none when its uplink does not name any', async (t) => {
  const { app, uplink } = await startProxy(t, { uplink: { crates: [crateFile('foo')] } })
  assert.deepEqual((await app.request(`${FOO}/owners`)).body, { users: [] })
  assert.equal((await app.request(`${CRATES}/bar/owners`)).status, 404)
  assert.equal(uplink.hits(API), 0)
})

test('a name with several separators is found however it is spelled', async (t) => {
  const { app } = await startProxy(t, { uplink: { crates: [crateFile('foo-bar_baz')], api: true } })
  for (const name of ['foo-bar_baz', 'foo_bar-baz', 'foo_bar_baz', 'FOO-BAR-BAZ'])
    assert.equal((await tell(app, `${CRATES}/${name}`)).crate['name'], 'foo-bar_baz')
  assert.equal((await app.request(`${CRATES}/foo_bar-qux`)).status, 404)
})

test('what is said is believed only of versions that the index has, with their checksums', async (t) => {
  const { app, uplink } = await startProxy(t, {
    uplink: { crates: [crateFile('foo', '1.0.0'), crateFile('foo', '1.1.0')], api: true },
    options: { packages: { '**': { proxy: ['up'], deny: ['foo@=1.1.0'] } } },
  })
  const version = { license: 'MIT', crate_size: 5, published_by: { login: 'eve' } }
  const checksum = sha256(Buffer.from('something else'))
  const versions = [
    { num: '1.0.0', checksum, ...version },
    { num: '1.1.0', ...version },
    { num: '9.9.9', ...version },
  ]
  uplink.set(FOO, { body: JSON.stringify({ crate: { name: 'foo', max_version: '9.9.9' }, versions }) })
  const told = await tell(app)
  assert.equal(told.crate['max_version'], '1.0.0')
  assert.equal(told.versions.length, 1)
  assertIndexOnly(told, 'another checksum')
})

test('what is no answer about the crate is not believed, and each text only when it is one', async (t) => {
  const long = 'x'.repeat(10_000)
  const bodies: readonly (readonly [string, string])[] = [
    ['another crate', JSON.stringify({ crate: { name: 'bar', description: 'of bar' } })],
    ['no object', '[1, 2]'],
    ['null', 'null'],
    ['no JSON', '{"crate":'],
    ['html', '<!doctype html><title>Hello</title>'],
    ['huge', JSON.stringify({ crate: { name: 'foo', description: 'x'.repeat(5 * 1024 * 1024) } })],
    [
      'wrong types',
      JSON.stringify({
        crate: {
          name: 'foo',
          description: { evil: true },
          keywords: 'web',
          categories: [1, null, long],
          repository: 'javascript:alert(1)',
          homepage: `https://foo.example/${long}`,
          created_at: 'yesterday',
        },
        versions: [
          null,
          'x',
          { num: 1 },
          {
            num: '1.0.0',
            license: 7,
            crate_size: -1,
            published_by: 'eve',
            has_lib: 'yes',
            bin_names: [{}],
            edition: long,
            homepage: 'data:text/html,x',
          },
        ],
      }),
    ],
    ['no lists', JSON.stringify({ crate: { id: 'foo', keywords: null }, versions: { '1.0.0': {} } })],
  ]
  for (const [what, body] of bodies) {
    const { app, uplink } = await startProxy(t, { uplink: { crates: [crateFile('foo')], api: true } })
    uplink.set(FOO, { body })
    const told = await tell(app)
    assertIndexOnly(told, what)
    assert.deepEqual([told.crate['categories'], told.crate['homepage']], [[], null], what)
    const { has_lib, bin_names, edition, homepage } = told.versions[0] ?? {}
    const bins = what === 'wrong types' ? [] : null
    assert.deepEqual([has_lib, bin_names, edition, homepage], [null, bins, null, null], what)
  }
})

test('long texts are cut', async (t) => {
  const { app, uplink } = await startProxy(t, { uplink: { crates: [crateFile('foo')], api: true } })
  const keywords = Array.from({ length: 1000 }, (_, n) => `k${n}`)
  uplink.set(FOO, {
    body: JSON.stringify({ crate: { name: 'foo', description: 'x'.repeat(10_000), keywords }, versions: [] }),
  })
  const { crate } = await tell(app)
  assert.deepEqual([String(crate['description']).length, (crate['keywords'] as unknown[]).length], [4096, 20])
})

test('an API that fails costs nothing but what it would have said, and nobody waits for it again', async (t) => {
  for (const fault of ['500', '503', '429', '403', 'hang-up', 'html200', 'reset-at', 'gz-garbage'] as const) {
    const { app, uplink } = await startProxy(t, {
      uplink: { crates: [crateFile('foo'), crateFile('bar')], api: true },
      up: { max_fails: 1 },
    })
    uplink.fault(API, fault)
    for (let n = 0; n < 3; n++) assertIndexOnly(await tell(app), fault)
    assert.ok(uplink.hits(FOO) <= 2, `${fault}: asked ${uplink.hits(FOO)} times`)
    // Nor does it keep anybody from building.
    assert.equal((await indexOf(app, 'bar')).status, 200, fault)
  }
})

test('an API that is silent holds an answer up for three seconds, once', async (t) => {
  const { app, uplink } = await startProxy(t, { uplink: { crates: [crateFile('foo')], api: true } })
  uplink.fault(API, 'silent')
  const startedAt = performance.now()
  assertIndexOnly(await tell(app), 'silent')
  const took = performance.now() - startedAt
  assert.ok(took > 2_000 && took < 6_000, `${took} ms`)
  const again = performance.now()
  assertIndexOnly(await tell(app), 'silent')
  assert.ok(performance.now() - again < 2_000)
  assert.equal(uplink.hits(FOO), 1)
})

test('many who ask at once are one question to the uplink', async (t) => {
  const { app, uplink } = await startProxy(t, { uplink: { crates: [crateFile('foo')], api: true } })
  await indexOf(app, 'foo')
  const release = uplink.hold(API)
  const answers = Array.from({ length: 20 }, () => tell(app))
  while (uplink.hits(FOO) === 0) await sleep(5)
  release()
  for (const { crate } of await Promise.all(answers)) assert.equal(crate['description'], 'The crate foo')
  assert.equal(uplink.hits(FOO), 1)
})

test('offline, without an API, or with the uplink away: the index alone is told', async (t) => {
  for (const how of ['offline', 'no api', 'away'] as const) {
    const uplink = await startUplink(t, { crates: [crateFile('foo')], api: how !== 'no api' })
    const first = await startApp(t, { options: { prefetch: 0, uplinks: { up: uplinkOptions(uplink) } } })
    await indexOf(first, 'foo')
    if (how === 'away') await uplink.stop()
    const options = { prefetch: 0, offline: how === 'offline', uplinks: { up: uplinkOptions(uplink) } }
    const app = await startApp(t, { options, host: { storage: first.storage } })
    assertIndexOnly(await tell(app), how)
    assert.deepEqual((await app.request(`${FOO}/owners`)).body, { users: [] }, how)
    assert.equal(uplink.hits(API), 0, how)
  }
})

test('no uplink is asked about a name that is local, or that none may have', async (t) => {
  const uplink = await startUplink(t, { crates: ['foo', 'acme-x'].map((name) => crateFile(name)), api: true })
  const app = await startApp(t, {
    options: {
      prefetch: 0,
      uplinks: { up: uplinkOptions(uplink) },
      packages: {
        'acme-*': { publish: ['$authenticated'] },
        '**': { publish: ['$authenticated'], proxy: ['up'], shadow: 'allow' },
      },
    },
  })
  await app.publish(crateFile('foo', '0.1.0'))
  await app.publish(crateFile('gone'))
  for (const name of ['foo', 'Foo']) {
    const told = await tell(app, `${CRATES}/${name}`)
    assert.equal(told.crate['max_version'], '0.1.0')
  }
  for (const name of ['acme-x', 'acme_x_y', 'Acme-X']) {
    for (const part of ['', '/owners', '/1.0.0', '/versions'])
      assert.equal((await app.request(`${CRATES}/${name}${part}`)).status, 404, name + part)
  }
  assert.deepEqual(asked(uplink), [])
})

function asked(uplink: Uplink): readonly string[] {
  return uplink.requests.map(({ path }) => path).filter((path) => /acme|foo/i.test(path))
}

test('what is kept of the default version tells of the crate when its uplink does not', async (t) => {
  const fields = {
    description: 'Kept',
    keywords: ['k'],
    repository: 'https://git.example/foo',
    license: 'MIT',
  }
  const file = crateFile('foo', '1.1.0').package(fields)
  const { app, uplink } = await startProxy(t, { uplink: { crates: [crateFile('foo'), file], api: true } })
  uplink.fault(API, '500')
  const texts = async () => {
    const { crate, versions } = await tell(app)
    const of = versions.map(({ num, license, crate_size }) => [num, license, crate_size])
    return [crate['description'], crate['keywords'], crate['repository'], ...of]
  }
  const size = file.bytes().length
  assert.deepEqual(await texts(), [null, [], null, ['1.1.0', null, null], ['1.0.0', null, null]])
  for (const version of ['1.0.0', '1.1.0']) await app.request(`${FOO}/${version}/download`)
  const [kept, other] = [
    ['1.1.0', 'MIT', size],
    ['1.0.0', null, null],
  ]
  await settled(texts, ['Kept', ['k'], 'https://git.example/foo', kept, other])
})

test('a kept file that is damaged or odd tells nothing, and is no failure', async (t) => {
  const odd = crateFile('foo').manifest('[package')
  const { app, uplink } = await startProxy(t, { uplink: { crates: [odd, crateFile('bar')] } })
  for (const name of ['foo', 'bar'])
    assert.equal((await app.request(`${CRATES}/${name}/1.0.0/download`)).status, 200)
  await settled(async () => (await app.stored('blobs/')).length, 2)
  const { crate, versions } = await tell(app)
  assert.deepEqual([crate['description'], versions[0]?.['license']], [null, null])
  const bar = sha256(crateFile('bar').bytes())
  await app.storage.put(`blobs/sha256/${bar.slice(0, 2)}/${bar}`, Buffer.from('damaged'))
  assert.equal((await tell(app, `${CRATES}/bar`)).crate['description'], null)
  assert.equal(uplink.hits(API), 0)
})
