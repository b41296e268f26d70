import assert from 'node:assert/strict'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertRun, bench, overEachTransport } from '../support/bench.ts'
import { manifest } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'

const app = (...dependencies: readonly string[]) =>
  manifest('app', '0.1.0', `[dependencies]\n${dependencies.join('\n')}\n`)
const ours = (name: string, version = '1') => `${name} = { version = "${version}", registry = "ours" }`

overEachTransport('cargo', (transport) => {
  test('asks for the configuration, one index file and one crate', async (t) => {
    const { server, home, project } = await bench(t, { transport })
    await server.seed(crateFile('dep'))
    const cwd = await project({ manifest: app(ours('dep')) })
    assertRun(await home.cargo(['check'], { cwd }), 0, 'Checking dep v1.0.0')
    // Ann has a token, which is not sent where reads are public.
    assert.deepEqual(server.takeRequests(), [
      { method: 'GET', path: '/config.json', status: 200 },
      { method: 'GET', path: '/3/d/dep', status: 200 },
      { method: 'GET', path: '/api/v1/crates/dep/1.0.0/download', status: 200 },
    ])
    const lock = await readFile(join(cwd, 'Cargo.lock'), 'utf8')
    const [entry] = await server.entries('dep')
    assert.ok(lock.includes(`source = "${server.index}"\nchecksum = "${entry?.cksum}"`), lock)
  })

  test('tries both spellings of an unknown name', async (t) => {
    const { server, home, project } = await bench(t, { transport })
    const cwd = await project({ manifest: app(ours('nonexist_a-b')) })
    assertRun(await home.cargo(['fetch'], { cwd }), 101, 'no matching package named `nonexist_a-b` found')
    const missing = server.takeRequests().filter(({ status }) => status === 404)
    assert.deepEqual(missing.map(({ path }) => path).sort(), [
      '/no/ne/nonexist-a-b',
      '/no/ne/nonexist_a-b',
      '/no/ne/nonexist_a_b',
    ])
  })

  test('hints at the right spelling', async (t) => {
    const { server, home, project } = await bench(t, { transport })
    await server.seed(crateFile('init'), crateFile('mis-hyphenated'))
    const wrongCase = await project({ manifest: app(ours('Init')) })
    assertRun(await home.cargo(['fetch'], { cwd: wrongCase }), 101, 'no matching package found', 'init')
    const hyphen = await project({ manifest: app(ours('mis_hyphenated')) })
    const run = await home.cargo(['fetch'], { cwd: hyphen })
    assertRun(run, 101, 'no matching package found', 'mis-hyphenated')
  })

  test('lists the versions there are', async (t) => {
    const { server, home, project } = await bench(t, { transport })
    await server.seed(crateFile('few', '1.0.0'), crateFile('few', '1.2.0'))
    const cwd = await project({ manifest: app(ours('few', '2')) })
    const run = await home.cargo(['fetch'], { cwd })
    assertRun(run, 101, 'failed to select a version for the requirement `few = "^2"`', '1.2.0, 1.0.0')
  })

  test('keeps to the lock file without asking', async (t) => {
    const { server, home, project } = await bench(t, { transport })
    await server.seed(crateFile('locked', '1.0.0'))
    const cwd = await project({ manifest: app(ours('locked')) })
    assertRun(await home.cargo(['fetch'], { cwd }), 0)
    await server.seed(crateFile('locked', '1.1.0'))
    assertRun(await home.cargo(['check', '--locked'], { cwd }), 0, 'Checking locked v1.0.0')
    assertRun(await home.cargo(['check', '--offline'], { cwd }), 0)
    assert.deepEqual(server.takeRequests(), [])
  })

  test('builds a lock file in a cold home', async (t) => {
    const { server, home, project, freshHome } = await bench(t, { transport })
    await server.seed(crateFile('locked', '1.0.0'))
    const cwd = await project({ manifest: app(ours('locked')) })
    assertRun(await home.cargo(['generate-lockfile'], { cwd }), 0)
    await server.seed(crateFile('locked', '1.1.0'))
    const run = await (await freshHome()).cargo(['check', '--locked'], { cwd })
    assertRun(run, 0, 'Downloaded locked v1.0.0', 'Checking locked v1.0.0')
  })

  test('gets 304 for what did not change', async (t) => {
    const { server, home, project } = await bench(t, { transport })
    const names = ['one', 'two', 'three']
    await server.seed(...names.map((name) => crateFile(name)))
    const cwd = await project({ manifest: app(...names.map((name) => ours(name))) })
    assertRun(await home.cargo(['update'], { cwd }), 0)
    server.takeRequests()
    await rm(join(cwd, 'Cargo.lock'))
    assertRun(await home.cargo(['update'], { cwd }), 0)
    const statuses = server.takeRequests().map(({ path, status }) => `${path} ${status}`)
    assert.deepEqual(statuses.sort(), [
      '/3/o/one 304',
      '/3/t/two 304',
      '/config.json 200',
      '/th/re/three 304',
    ])
    await server.seed(crateFile('two', '1.1.0'))
    assertRun(await home.cargo(['update'], { cwd }), 0, /Updating two v1\.0\.0 .*-> v1\.1\.0/)
    const changed = server.takeRequests().filter(({ status }) => status === 200)
    assert.deepEqual(
      changed.map(({ path }) => path),
      ['/config.json', '/3/t/two'],
    )
  })

  test('builds the crate of the same registry that a crate depends on', async (t) => {
    const { server, home, project } = await bench(t, { transport })
    const own = { version: '1', 'registry-index': server.index, own: true }
    await server.seed(crateFile('inner'), crateFile('outer').dep('inner', own))
    const cwd = await project({ manifest: app(ours('outer')) })
    assertRun(await home.cargo(['check'], { cwd }), 0, 'Checking inner v1.0.0', 'Checking outer v1.0.0')
    const lock = await readFile(join(cwd, 'Cargo.lock'), 'utf8')
    assert.equal(lock.split(`source = "${server.index}"`).length - 1, 2)
  })

  test('adds a dependency, in the name it has', async (t) => {
    const { server, home, project } = await bench(t, { transport })
    await server.seed(crateFile('foo_bar', '1.2.3').feature('fast'))
    const cwd = await project({ manifest: manifest('app') })
    const run = await home.cargo(['add', 'foo-bar', '--registry', 'ours', '--features', 'fast'], { cwd })
    assertRun(run, 0, 'translating `foo-bar` to `foo_bar`', 'Adding foo_bar v1.2.3')
    const written = await readFile(join(cwd, 'Cargo.toml'), 'utf8')
    assert.ok(
      written.includes('foo_bar = { version = "1.2.3", registry = "ours", features = ["fast"] }'),
      written,
    )
  })

  test('shows what is known of a crate', async (t) => {
    const { server, home } = await bench(t, { transport })
    await server.seed(crateFile('foo_bar', '1.0.0'), crateFile('foo_bar', '1.1.0').feature('fast'))
    const newest = await home.cargo(['info', 'foo-bar', '--registry', 'ours'])
    assertRun(newest, 0, 'foo_bar', 'The crate foo_bar', 'version: 1.1.0', 'license: MIT', 'fast')
    const older = await home.cargo(['info', 'foo_bar@1.0.0', '--registry', 'ours'])
    assertRun(older, 0, 'version: 1.0.0 (latest 1.1.0 from registry `ours`)')
    assert.ok(
      server.takeRequests().every(({ path }) => !path.startsWith('/api/') || path.endsWith('/download')),
    )
    const missing = await home.cargo(['info', 'nothing-here', '--registry', 'ours'])
    assertRun(missing, 101, 'could not find `nothing-here` in registry')
  })

  test('installs a program, and does so once', async (t) => {
    const { server, home, publish } = await bench(t, { transport })
    const files = { 'src/main.rs': 'fn main() { println!("installed") }' }
    assertRun(await publish({ manifest: manifest('tool', '1.0.0+meta'), files }), 0)
    server.takeRequests()
    const install = ['install', 'tool', '--registry', 'ours', '--debug']
    assertRun(await home.cargo(install), 0, 'Installed package `tool v1.0.0+meta')
    server.takeRequests()
    assertRun(await home.cargo(install), 0, 'is already installed')
    assert.deepEqual(
      server.takeRequests().map(({ path, status }) => `${path} ${status}`),
      ['/config.json 200', '/to/ol/tool 304'],
    )
    assertRun(
      await home.cargo(['install', 'tool', '--index', server.index, '--force', '--debug']),
      0,
      'Replac',
    )
  })

  test('refuses addresses without a final slash and with a password', async (t) => {
    const { server, freshHome, project } = await bench(t, { transport })
    const slashless = await freshHome({ registries: { ours: server.index.slice(0, -1) } })
    const cwd = await project({ manifest: app(ours('dep')) })
    assertRun(await slashless.cargo(['fetch'], { cwd }), 101, 'sparse registry url must end in a slash')
    const password = await freshHome({ registries: { ours: server.index.replace('://', '://u:p@') } })
    assertRun(await password.cargo(['fetch'], { cwd }), 101, 'registry URLs may not contain passwords')
  })

  test('is refused where it takes the registry for a git index', async (t) => {
    const { server, freshHome, project } = await bench(t, { transport })
    const home = await freshHome({ registries: { ours: server.index.replace('sparse+', '') } })
    assertRun(await home.cargo(['fetch'], { cwd: await project({ manifest: app(ours('dep')) }) }), 101, '501')
    // Over https cargo 1.95 puts another slash behind the one that the URL ends in.
    assert.deepEqual(
      server.takeRequests().map(({ path, status }) => [path.replace('//', '/'), status]),
      [['/info/refs', 501]],
    )
  })
})
