import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { assertRun, bench, overEachTransport } from '../support/bench.ts'
import { manifest } from '../support/cargo.ts'

const CONSUMER = (dependency: string) => manifest('app', '0.1.0', `[dependencies]\n${dependency}\n`)

overEachTransport('cargo publish', (transport) => {
  test('publishes a new crate, which another home builds from', async (t) => {
    const { server, home, project, freshHome } = await bench(t, { transport })
    const cwd = await project({
      manifest: manifest('hello'),
      files: { 'src/lib.rs': 'pub fn hello() -> &\'static str { "hello from the registry" }' },
    })
    const run = await home.cargo(['publish', '--registry', 'ours'], { cwd })
    assertRun(run, 0, 'Verifying hello v1.0.0', 'Published hello v1.0.0 at registry `ours`')
    assert.deepEqual(server.takeRequests(), [
      { method: 'GET', path: '/config.json', status: 200 },
      { method: 'GET', path: '/he/ll/hello', status: 404 },
      { method: 'PUT', path: '/api/v1/crates/new', status: 200, user: 'ann' },
      { method: 'GET', path: '/config.json', status: 200 },
      { method: 'GET', path: '/he/ll/hello', status: 200 },
    ])
    const app = await project({
      manifest: CONSUMER('hello = { version = "1", registry = "ours" }'),
      files: { 'src/main.rs': 'fn main() { println!("{}", hello::hello()) }' },
    })
    const built = await (await freshHome()).cargo(['run', '--quiet'], { cwd: app })
    assertRun(built, 0)
    assert.equal(built.stdout, 'hello from the registry\n')
  })

  test('publishes a second version, which a client sees that knew the first', async (t) => {
    const { server, home, project, publish } = await bench(t, { transport })
    assertRun(await publish({ manifest: manifest('twice') }), 0)
    const app = await project({ manifest: CONSUMER('twice = { version = "1", registry = "ours" }') })
    assertRun(await home.cargo(['generate-lockfile'], { cwd: app }), 0, 'Locking 1 package')
    server.takeRequests()
    assertRun(await publish({ manifest: manifest('twice', '1.1.0') }), 0, 'Published twice v1.1.0')
    const index = server.takeRequests().filter(({ path }) => path === '/tw/ic/twice')
    assert.deepEqual(
      index.map(({ status }) => status),
      [304, 200],
    )
    assertRun(await home.cargo(['update'], { cwd: app }), 0, /Updating twice v1\.0\.0 .*-> v1\.1\.0/)
    const versions = (await server.entries('twice')).map(({ vers }) => vers)
    assert.deepEqual(versions, ['1.0.0', '1.1.0'])
  })

  test('publishes a workspace in the order of its dependencies', async (t) => {
    const { server, home, project } = await bench(t, { transport })
    const member = (name: string, dependency?: string) =>
      manifest(
        name,
        '1.0.0',
        dependency === undefined
          ? ''
          : `[dependencies]\n${dependency} = { path = "../${dependency}", version = "1", registry = "ours" }\n`,
      )
    const cwd = await project({
      manifest: '[workspace]\nresolver = "2"\nmembers = ["aa-top", "bb-middle", "cc-base", "dd-alone"]\n',
      files: {
        'aa-top/Cargo.toml': member('aa-top', 'bb-middle'),
        'aa-top/src/lib.rs': 'pub use bb_middle::WORD;',
        'bb-middle/Cargo.toml': member('bb-middle', 'cc-base'),
        'bb-middle/src/lib.rs': 'pub use cc_base::WORD;',
        'cc-base/Cargo.toml': member('cc-base'),
        'cc-base/src/lib.rs': 'pub const WORD: &str = "base";',
        'dd-alone/Cargo.toml': member('dd-alone'),
        'dd-alone/src/lib.rs': '',
      },
    })
    const run = await home.cargo(['publish', '--workspace', '--registry', 'ours'], { cwd })
    assertRun(run, 0, 'Verifying aa-top v1.0.0', 'Published aa-top v1.0.0 at registry `ours`')
    const uploads = [...run.stderr.matchAll(/Uploaded (\S+)/g)].map(([, name]) => name)
    assert.deepEqual(uploads, ['cc-base', 'dd-alone', 'bb-middle', 'aa-top'])
    const puts = server.takeRequests().filter(({ method }) => method === 'PUT')
    assert.deepEqual(
      puts.map(({ status }) => status),
      [200, 200, 200, 200],
    )
    const [middle] = await server.entries('bb-middle')
    assert.deepEqual(
      middle?.deps.map(({ name, req, registry }) => ({ name, req, registry })),
      [{ name: 'cc-base', req: '^1', registry: middle?.deps[0]?.registry }],
    )
    assert.equal(middle?.deps[0]?.registry ?? undefined, undefined)
  })

  for (const [name, path] of [
    ['a', '/1/a'],
    ['ab', '/2/ab'],
    ['abc', '/3/a/abc'],
    ['Abc', '/3/a/abc'],
    ['MixedCase', '/mi/xe/mixedcase'],
    ['under_score', '/un/de/under_score'],
  ] as const) {
    test(`publishes the name ${name} and builds from it`, async (t) => {
      const { server, home, project, publish, freshHome } = await bench(t, { transport })
      assertRun(await publish({ manifest: manifest(name) }), 0, `Published ${name} v1.0.0`)
      const asked = server.takeRequests().filter((request) => !/config\.json|new$/.test(request.path))
      // Neither while it resolves nor while it waits does cargo try another spelling.
      assert.ok(asked.every((request) => request.path === path))
      assert.equal(asked.at(-1)?.status, 200)
      const cwd = await project({ manifest: CONSUMER(`${name} = { version = "1", registry = "ours" }`) })
      assertRun(await (await freshHome()).cargo(['fetch'], { cwd }), 0, `Downloaded ${name} v1.0.0`)
      assertRun(await home.cargo(['check'], { cwd }), 0, `Checking ${name} v1.0.0`)
      const wanted = `/api/v1/crates/${name}/1.0.0/download`
      assert.equal(server.takeRequests().filter((request) => request.path === wanted).length, 2)
    })
  }

  test('sends over 1 MiB', async (t) => {
    const { server, home, project, publish } = await bench(t, { transport })
    const files = { 'noise.txt': randomBytes(2 * 1024 * 1024).toString('base64') }
    assertRun(await publish({ manifest: manifest('big'), files }), 0, 'Published big v1.0.0')
    const cwd = await project({ manifest: CONSUMER('big = { version = "1", registry = "ours" }') })
    assertRun(await home.cargo(['fetch'], { cwd }), 0, 'Downloaded big v1.0.0')
    assert.ok(server.takeRequests().some(({ method, status }) => method === 'PUT' && status === 200))
  })

  test('keeps what the manifest says', async (t) => {
    const { server, publish, freshHome } = await bench(t, { transport })
    const rest = `license-file = "LICENSE"
readme = "README.md"
rust-version = "1.70"
links = "native"
build = "build.rs"
keywords = ["one", "two"]
categories = ["command-line-utilities"]
homepage = "https://example.org/"
documentation = "https://example.org/docs"
repository = "https://example.org/git"
authors = ["Ann <ann@example.org>"]

[badges]
maintenance = { status = "experimental" }
`
    const manifestText = manifest('full', '1.0.0-beta.1+build.5', rest).replace('license = "MIT"\n', '')
    const files = { LICENSE: 'mine', 'README.md': '# Full', 'build.rs': 'fn main() {}' }
    assertRun(await publish({ manifest: manifestText, files }), 0, 'Published full v1.0.0-beta.1+build.5')
    const [entry] = await server.entries('full')
    assert.equal(entry?.vers, '1.0.0-beta.1+build.5')
    assert.equal(entry?.links, 'native')
    assert.equal(entry?.rust_version, '1.70')
    assert.match(String(entry?.pubtime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    const info = await (await freshHome()).cargo(['info', 'full@1.0.0-beta.1', '--registry', 'ours'])
    assertRun(info, 0, 'full #one #two', 'rust-version: 1.70', 'homepage: https://example.org/')
  })
})
