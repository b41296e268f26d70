import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { sha256 } from '../support/download.ts'

const CRATES = '/api/v1/crates'

interface ApiVersion {
  readonly id: number
  readonly num: string
  readonly created_at: string
}

/** The numbers of the versions in an answer. */
function numbersIn(body: unknown): readonly string[] {
  return (body as { versions: ApiVersion[] }).versions.map(({ num }) => num)
}

async function publishAll(app: App, ...versions: readonly string[]): Promise<void> {
  for (const version of versions) assert.equal((await app.publish(crateFile('foo', version))).status, 200)
}

test('a local crate is told in the shape of crates.io', async (t) => {
  const app = await startApp(t)
  const file = crateFile('Foo-Bar', '1.0.0+b')
    .package({
      keywords: ['web'],
      categories: ['os::unix-apis'],
      homepage: 'https://foo.example',
      documentation: 'https://docs.example',
      repository: 'https://git.example',
      links: 'z',
      'rust-version': '1.70',
    })
    .feature('std', [])
    .dep('log', { version: '0.4', optional: true })
    .feature('logging', ['dep:log'])
  assert.equal((await app.publish(file)).status, 200)
  const { status, headers, body } = await app.request(`${CRATES}/Foo-Bar`)
  assert.equal(status, 200)
  assert.equal(headers.get('content-type'), 'application/json; charset=utf-8')
  const [{ id, created_at: at }] = (body as { versions: [ApiVersion] }).versions
  assert.ok(Number.isInteger(id) && id >= 0 && id < 2 ** 31)
  assert.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  const about = {
    description: 'The crate Foo-Bar',
    homepage: 'https://foo.example',
    documentation: 'https://docs.example',
    repository: 'https://git.example',
  }
  const [crate, version] = [`/cargo${CRATES}/Foo-Bar`, `/cargo${CRATES}/Foo-Bar/1.0.0+b`]
  assert.deepEqual(body, {
    crate: {
      id: 'Foo-Bar',
      name: 'Foo-Bar',
      updated_at: at,
      versions: [id],
      keywords: ['web'],
      categories: ['os::unix-apis'],
      badges: [],
      created_at: at,
      downloads: 0,
      recent_downloads: 0,
      default_version: '1.0.0+b',
      num_versions: 1,
      yanked: false,
      max_version: '1.0.0+b',
      newest_version: '1.0.0+b',
      max_stable_version: '1.0.0+b',
      ...about,
      links: {
        version_downloads: `${crate}/downloads`,
        versions: null,
        owners: `${crate}/owners`,
        owner_team: `${crate}/owner_team`,
        owner_user: `${crate}/owner_user`,
        reverse_dependencies: `${crate}/reverse_dependencies`,
      },
      exact_match: false,
      trustpub_only: false,
    },
    versions: [
      {
        id,
        crate: 'Foo-Bar',
        num: '1.0.0+b',
        dl_path: `${version}/download`,
        readme_path: `${version}/readme`,
        updated_at: at,
        created_at: at,
        downloads: 0,
        features: { logging: ['dep:log'], std: [] },
        yanked: false,
        yank_message: null,
        lib_links: 'z',
        license: 'MIT',
        links: {
          dependencies: `${version}/dependencies`,
          version_downloads: `${version}/downloads`,
          authors: `${version}/authors`,
        },
        crate_size: file.bytes().length,
        published_by: { id: 1234263565, login: 'ann', name: null, avatar: null, url: '' },
        audit_actions: [],
        checksum: sha256(file.bytes()),
        rust_version: '1.70',
        has_lib: true,
        bin_names: [],
        edition: '2021',
        ...about,
        trustpub_data: null,
        linecounts: null,
      },
    ],
    keywords: [{ id: 'web', keyword: 'web', created_at: at, crates_cnt: 1 }],
    categories: [
      {
        id: 'os::unix-apis',
        category: 'unix-apis',
        slug: 'os::unix-apis',
        description: '',
        created_at: at,
        crates_cnt: 1,
      },
    ],
  })
  const download = await fetch(new URL(`${version}/download`, app.url))
  assert.equal(sha256(Buffer.from(await download.arrayBuffer())), sha256(file.bytes()))
})

test('paths in answers begin with whatever the registry is reached by', async (t) => {
  const app = await startApp(t, { host: { publicUrl: () => 'https://host.example/artifacts/' } })
  await publishAll(app, '1.0.0')
  const { body } = await app.request(`${CRATES}/foo`)
  const [{ dl_path }] = (body as { versions: [{ dl_path: string }] }).versions
  assert.equal(dl_path, '/artifacts/cargo/api/v1/crates/foo/1.0.0/download')
})

test('a crate is found under any spelling, and told in the published one', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile('Foo-Bar_baz'))
  for (const name of ['Foo-Bar_baz', 'foo-bar_baz', 'foo_bar_baz', 'FOO-BAR-BAZ', 'foo_bar-baz']) {
    const { status, body } = await app.request(`${CRATES}/${name}`)
    assert.equal(status, 200, name)
    assert.equal((body as { crate: { name: string } }).crate.name, 'Foo-Bar_baz')
    assert.deepEqual(numbersIn((await app.request(`${CRATES}/${name}/versions`)).body), ['1.0.0'])
  }
})

test('the crate named `new` is read where crates are published', async (t) => {
  const app = await startApp(t)
  assert.equal((await app.request(`${CRATES}/new`)).status, 404)
  await app.publish(crateFile('new'))
  const { body } = await app.request(`${CRATES}/new`)
  assert.equal((body as { crate: { name: string } }).crate.name, 'new')
})

test('a crate that may not be read, is removed, or has no version left is like none', async (t) => {
  const options = {
    packages: {
      'secret-*': { access: ['rust-team'], publish: ['rust-team'] },
      '**': { access: ['$all'], publish: ['$authenticated'], unpublish: ['$authenticated'] },
    },
  }
  const app = await startApp(t, { options })
  await app.publish(crateFile('secret-plan'))
  for (const name of ['gone', 'empty']) await app.publish(crateFile(name))
  assert.equal((await app.request(`${CRATES}/gone`, { method: 'DELETE', as: 'ann' })).status, 200)
  assert.equal((await app.request(`${CRATES}/empty/1.0.0`, { method: 'DELETE', as: 'ann' })).status, 200)
  assert.equal((await app.request(`${CRATES}/secret-plan`, { as: 'ann' })).status, 200)
  for (const name of ['secret-plan', 'Secret_Plan', 'gone', 'empty', 'never-was']) {
    for (const path of ['', '/versions']) {
      const { status, body } = await app.request(`${CRATES}/${name}${path}`, { as: 'bob' })
      assert.equal(status, 404, name)
      assert.deepEqual(body, { errors: [{ detail: `crate \`${name}\` does not exist` }] })
    }
  }
})

test('a host that lets somebody read one spelling has not let them read the crate', async (t) => {
  const auth = {
    authenticate: async (name: string | undefined) => (name === undefined ? undefined : { name, groups: [] }),
    authorize: async (_: unknown, __: string, crate?: string) => crate !== 'foo-bar',
  }
  const app = await startApp(t, { host: { auth } })
  const open = await startApp(t, { host: { storage: app.storage } })
  await open.publish(crateFile('foo-bar'))
  const { status, body } = await app.request(`${CRATES}/foo_bar`)
  assert.equal(status, 404)
  assert.deepEqual(body, { errors: [{ detail: 'crate `foo_bar` does not exist' }] })
})

test('a yanked version is told as such, and stands for the crate only when all are', async (t) => {
  const app = await startApp(t)
  await publishAll(app, '1.0.0', '2.0.0', '3.0.0-rc.1')
  const top = async () => {
    const { crate } = (await app.request(`${CRATES}/foo`)).body as { crate: Record<string, unknown> }
    const { default_version, max_version, max_stable_version, newest_version, yanked } = crate
    return { default_version, max_version, max_stable_version, newest_version, yanked }
  }
  const yank = (version: string) =>
    app.request(`${CRATES}/foo/${version}/yank`, { method: 'DELETE', as: 'ann' })
  assert.deepEqual(await top(), {
    default_version: '2.0.0',
    max_version: '3.0.0-rc.1',
    max_stable_version: '2.0.0',
    newest_version: '3.0.0-rc.1',
    yanked: false,
  })
  await yank('2.0.0')
  await yank('3.0.0-rc.1')
  assert.deepEqual(await top(), {
    default_version: '1.0.0',
    max_version: '1.0.0',
    max_stable_version: '1.0.0',
    newest_version: '1.0.0',
    yanked: false,
  })
  await yank('1.0.0')
  assert.deepEqual(await top(), {
    default_version: '2.0.0',
    max_version: '2.0.0',
    max_stable_version: null,
    newest_version: '2.0.0',
    yanked: true,
  })
})

test('`include` leaves parts of the answer out', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile('foo', '1.0.0').package({ keywords: ['web'], categories: ['os'] }))
  await publishAll(app, '2.0.0-rc.1')
  const parts = async (query: string) => {
    const { body } = await app.request(`${CRATES}/foo${query}`)
    const { crate, versions, keywords, categories } = body as Record<string, Record<string, unknown[]>>
    return [
      crate?.['versions']?.length,
      versions?.length,
      crate?.['keywords']?.length,
      keywords?.length,
      crate?.['categories']?.length,
      categories?.length,
      crate?.['recent_downloads'],
    ]
  }
  const nothing = [undefined, undefined, undefined, undefined, undefined, undefined, null]
  assert.deepEqual(await parts(''), [2, 2, 1, 1, 1, 1, 0])
  assert.deepEqual(await parts('?include=full'), [2, 2, 1, 1, 1, 1, 0])
  assert.deepEqual(await parts('?include='), nothing)
  assert.deepEqual(await parts('?include=badges'), nothing)
  assert.deepEqual(await parts('?include=versions'), [2, 2, ...nothing.slice(2)])
  assert.deepEqual(await parts('?include=default_version'), [undefined, 1, ...nothing.slice(2)])
  assert.deepEqual(await parts('?include=keywords,categories,downloads'), [
    undefined,
    undefined,
    1,
    1,
    1,
    1,
    0,
  ])
  const { status, body } = await app.request(`${CRATES}/foo?include=versions,colour`)
  assert.equal(status, 400)
  assert.deepEqual(body, {
    errors: [
      {
        detail:
          'invalid include `colour`: must be of full, badges, versions, keywords, categories, downloads, default_version',
      },
    ],
  })
})

test('an answer is asked for again by its ETag, which changes with the crate', async (t) => {
  const app = await startApp(t)
  await publishAll(app, '1.0.0')
  for (const path of [`${CRATES}/foo`, `${CRATES}/foo/versions`]) {
    const { headers } = await app.request(path)
    assert.equal(headers.get('cache-control'), 'no-cache')
    const etag = headers.get('etag') ?? ''
    assert.match(etag, /^"[0-9a-f]{32}"$/)
    const again = await app.request(path, { headers: { 'if-none-match': etag } })
    assert.deepEqual([again.status, again.text, again.headers.get('etag')], [304, '', etag])
  }
  const { headers } = await app.request(`${CRATES}/foo`)
  await publishAll(app, '1.1.0')
  const changed = await app.request(`${CRATES}/foo`, {
    headers: { 'if-none-match': headers.get('etag') ?? '' },
  })
  assert.equal(changed.status, 200)
})

test('HEAD of a crate has the headers of GET and no body', async (t) => {
  const app = await startApp(t)
  await publishAll(app, '1.0.0')
  const [head, get] = [
    await app.request(`${CRATES}/foo`, { method: 'HEAD' }),
    await app.request(`${CRATES}/foo`),
  ]
  assert.deepEqual([head.status, head.text], [200, ''])
  for (const name of ['etag', 'content-length', 'content-type', 'cache-control'])
    assert.equal(head.headers.get(name), get.headers.get(name), name)
})

test('one version is told alone, with what it depends on and no authors', async (t) => {
  const app = await startApp(t)
  const file = crateFile('foo', '1.0.0+b')
    .dep('log', { version: '0.4', optional: true, features: ['std'], 'default-features': false })
    .dep('renamed', { version: '>=1, <3', package: 'real-name', kind: 'dev' })
    .dep('winapi', { version: '=0.3.9', target: 'cfg(windows)', kind: 'build' })
  assert.equal((await app.publish(file)).status, 200)
  const all = (await app.request(`${CRATES}/foo`)).body as { versions: ApiVersion[] }
  const { status, body } = await app.request(`${CRATES}/FOO/1.0.0+b`)
  assert.equal(status, 200)
  assert.deepEqual(body, { version: all.versions[0] })
  assert.deepEqual((await app.request(`${CRATES}/foo/1.0.0%2Bb`)).body, body)
  const { dependencies } = (await app.request(`${CRATES}/foo/1.0.0+b/dependencies`)).body as {
    dependencies: { id: number }[]
  }
  const common = { version_id: all.versions[0]?.id, downloads: 0 }
  const plain = { ...common, optional: false, default_features: true, features: [], target: null }
  assert.deepEqual(
    dependencies.map(({ id, ...rest }) => rest),
    [
      {
        ...common,
        crate_id: 'log',
        req: '^0.4',
        optional: true,
        default_features: false,
        features: ['std'],
        target: null,
        kind: 'normal',
      },
      { ...plain, crate_id: 'real-name', req: '>=1, <3', kind: 'dev' },
      { ...plain, crate_id: 'winapi', req: '=0.3.9', target: 'cfg(windows)', kind: 'build' },
    ],
  )
  assert.equal(new Set(dependencies.map(({ id }) => id)).size, 3)
  assert.deepEqual((await app.request(`${CRATES}/foo/1.0.0+b/authors`)).body, {
    meta: { names: [] },
    users: [],
  })
})

test('a version that is not there, was removed, or is none is named', async (t) => {
  const options = { packages: { '**': { publish: ['$authenticated'], unpublish: ['$authenticated'] } } }
  const app = await startApp(t, { options })
  await publishAll(app, '1.0.0', '1.1.0+b', '2.0.0')
  await app.request(`${CRATES}/foo/2.0.0`, { method: 'DELETE', as: 'ann' })
  for (const part of ['', '/dependencies', '/authors']) {
    for (const version of ['3.0.0', '2.0.0', '1.1.0']) {
      const { status, body } = await app.request(`${CRATES}/Foo/${version}${part}`)
      assert.equal(status, 404, version)
      assert.deepEqual(body, {
        errors: [{ detail: `crate \`foo\` does not have a version \`${version}\`` }],
      })
    }
    const { status, body } = await app.request(`${CRATES}/foo/1.0${part}`)
    assert.equal(status, 400)
    assert.deepEqual(body, {
      errors: [{ detail: 'invalid version `1.0`: must be a semantic version, `1.2.3`' }],
    })
  }
})

test('owners are told to everybody, users and teams apart as well', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile('foo-bar'))
  const add = { method: 'PUT', as: 'ann', body: { users: ['group:rust-team'] } }
  assert.equal((await app.request(`${CRATES}/foo-bar/owners`, add)).status, 200)
  const logins = async (path: string) => {
    const { users, teams } = (await app.request(path)).body as Record<string, { login: string }[] | undefined>
    return { users: users?.map(({ login }) => login), teams: teams?.map(({ login }) => login) }
  }
  for (const name of ['foo-bar', 'Foo_Bar']) {
    const of = (part: string) => logins(`${CRATES}/${name}/${part}`)
    assert.deepEqual(await of('owners'), { users: ['ann', 'group:rust-team'], teams: undefined })
    assert.deepEqual(await of('owner_user'), { users: ['ann'], teams: undefined })
    assert.deepEqual(await of('owner_team'), { users: undefined, teams: ['group:rust-team'] })
  }
})

test('where reads need a login, nobody is told of any crate without one', async (t) => {
  const app = await startApp(t, { options: { auth_required: true } })
  await publishAll(app, '1.0.0')
  for (const path of [
    '/foo',
    '/not-there',
    '/foo/versions',
    '/foo/1.0.0',
    '/foo/1.0.0/readme',
    '/foo/downloads',
  ]) {
    const { status, headers } = await app.request(CRATES + path)
    assert.equal(status, 401, path)
    assert.equal(headers.get('www-authenticate'), `Cargo login_url="${app.url}/me"`)
  }
  const { status, headers } = await app.request(`${CRATES}/foo`, { as: 'bob' })
  assert.deepEqual([status, headers.get('vary')], [200, 'Authorization'])
})
