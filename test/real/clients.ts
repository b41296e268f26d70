import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { assertRun, bench } from '../support/bench.ts'
import { manifest, temporaryFolder } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'
import { startUplink } from '../support/uplink.ts'
import { indexClients, renovate, toolPath } from './client-programs.ts'
import { advisoryDatabase, denyConfig, git, PROGRAM, renovateDeps } from './client-surroundings.ts'

// Clients other than cargo, as they are published (`npm run real:clients`; the first time they are compiled, which
// takes a quarter of an hour). Each sees a private crate and a public one, both in three versions.

const run = promisify(execFile)
const INSTALL_MS = 45 * 60_000
const VERSIONS = ['1.0.0', '1.1.0', '2.0.0']
const DEPENDENCIES = '[dependencies]\nacme-core = { version = "1.0", registry = "ours" }\nopen-core = "1.0"\n'

/** A registry, an uplink behind it, and a project that uses both. */
async function place(t: TestContext) {
  const crates = VERSIONS.map((version) => crateFile('open-core', version).package(SHOWN))
  const uplink = await startUplink(t, { crates, api: true })
  const rig = await bench(t, { options: { uplinks: { 'crates-io': { url: uplink.url } } } })
  await rig.server.seed(...VERSIONS.map((version) => crateFile('acme-core', version).package(SHOWN)))
  // cargo-deny compares hosts, and takes an address in a `sparse+http:` URL for another one than in `http:`.
  const index = rig.server.index.replace('127.0.0.1', 'localhost')
  const home = await rig.freshHome({
    registries: { ours: index },
    tokens: { ours: 'ann-token' },
    // Cargo needs no more than `registries`; tools that read its cache look for the source.
    config: { source: { 'crates-io': { 'replace-with': 'ours' }, ours: { registry: index } } },
  })
  const cwd = await rig.project({ manifest: manifest('app', '0.1.0', DEPENDENCIES) })
  for (const name of ['acme-core', 'open-core'])
    assertRun(await home.cargo(['update', name, '--precise', '1.0.0'], { cwd }), 0)
  assertRun(await home.cargo(['fetch'], { cwd }), 0)
  rig.server.takeRequests()
  return { ...rig, index, home, cwd }
}

const SHOWN = { repository: 'https://code.example/acme/core' }

test('cargo outdated finds newer versions of both', { timeout: INSTALL_MS }, async (t) => {
  const PATH = await toolPath('cargo-outdated')
  const { home, cwd } = await place(t)
  const outdated = await home.cargo(['outdated', '--format', 'json'], { cwd, env: { PATH } })
  assertRun(outdated, 0)
  const { dependencies } = JSON.parse(outdated.stdout)
  assert.deepEqual(
    dependencies.map((it: Record<string, string>) => [it['name'], it['project'], it['compat'], it['latest']]),
    [
      ['acme-core', '1.0.0', '1.1.0', '2.0.0'],
      ['open-core', '1.0.0', '1.1.0', '2.0.0'],
    ],
  )
})

test('cargo upgrade writes the newest requirements', { timeout: INSTALL_MS }, async (t) => {
  const PATH = await toolPath('cargo-upgrade')
  const { home, cwd } = await place(t)
  assertRun(await home.cargo(['upgrade', '--incompatible'], { cwd, env: { PATH } }), 0)
  const text = await readFile(join(cwd, 'Cargo.toml'), 'utf8')
  assert.match(text, /acme-core = \{ version = "2\.0"/)
  assert.match(text, /open-core = "2\.0"/)
})

test('cargo deny allows the registry, and denies what was yanked', { timeout: INSTALL_MS }, async (t) => {
  const PATH = await toolPath('cargo-deny')
  const { home, cwd, server, index } = await place(t)
  const advisories = await advisoryDatabase(t)
  const env = { PATH, GIT_CONFIG_GLOBAL: advisories.gitConfig }
  await writeFile(join(cwd, 'deny.toml'), denyConfig(advisories.url, join(home.folder, 'advisories'), index))
  const check = () => home.cargo(['deny', '--color', 'never', 'check'], { cwd, env })
  assertRun(await check(), 0, 'advisories ok, bans ok, licenses ok, sources ok')
  const path = '/api/v1/crates/acme-core/1.0.0/yank'
  assert.equal((await server.send(path, { method: 'DELETE', token: 'ann-token' })).status, 200)
  // It asks no registry but reads what cargo keeps.
  assertRun(await home.cargo(['update', '--dry-run'], { cwd }), 0)
  assertRun(await check(), 1, /error\[yanked\][\s\S]*acme-core 1\.0\.0/)
})

test('cargo binstall installs the program that its crate points to', { timeout: INSTALL_MS }, async (t) => {
  const PATH = await toolPath('cargo-binstall')
  // It speaks https only.
  const { server, home } = await bench(t, { transport: 'https', options: { uplinks: {} } })
  // The archive is the `.crate` file itself, so that the download goes through the registry too.
  const place = {
    'pkg-url': `${server.url}/api/v1/crates/{ name }/{ version }/download`,
    'pkg-fmt': 'tgz',
    'bin-dir': '{ name }-{ version }/prebuilt',
  }
  const tool = crateFile('acme-tool', '1.0.0').package({ metadata: { binstall: place } })
  tool.add('acme-tool-1.0.0/src/main.rs', 'fn main() {}\n').add('acme-tool-1.0.0/prebuilt', PROGRAM)
  await server.seed(crateFile('acme-tool', '0.9.0'), tool)
  const args = ['binstall', 'acme-tool', '--registry', 'ours', '--strategies', 'crate-meta-data']
  const env = { PATH, BINSTALL_HTTPS_ROOT_CERTS: server.ca ?? '' }
  assertRun(await home.cargo([...args, '--no-confirm', '--disable-telemetry'], { env }), 0)
  assert.equal(await readFile(join(home.folder, 'bin', 'acme-tool'), 'utf8'), PROGRAM)
})

test('crates-index and tame-index read the index, and renew what they have', {
  timeout: INSTALL_MS,
}, async (t) => {
  const program = await indexClients()
  const { index, server } = await place(t)
  await server.send('/api/v1/crates/acme-core/1.1.0/yank', { method: 'DELETE', token: 'ann-token' })
  const names = ['acme-core', 'open-core', 'nothing-there']
  const { stdout } = await run(program, [index, await temporaryFolder(t), ...names])
  const expected = [
    ...both('acme-core', ' 1.0.0 1.1.0! 2.0.0', [200, 304]),
    ...both('open-core', ' 1.0.0 1.1.0 2.0.0', [200, 304]),
    ...both('nothing-there', '', [404, 404]),
  ]
  assert.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.trimEnd()),
    expected,
  )
})

test('Renovate finds updates, when they came out, and the repository', { timeout: INSTALL_MS }, async (t) => {
  const script = await renovate()
  const { home, cwd, server } = await place(t)
  await mkdir(join(cwd, '.cargo'))
  await copyFile(join(home.folder, 'config.toml'), join(cwd, '.cargo', 'config.toml'))
  await writeFile(join(cwd, 'renovate.json'), '{"enabledManagers":["cargo"]}')
  await git(cwd, 'init', '--quiet')
  await git(cwd, 'add', '.')
  const env = {
    ...process.env,
    LOG_LEVEL: 'debug',
    LOG_FORMAT: 'json',
    RENOVATE_PLATFORM: 'local',
    RENOVATE_DRY_RUN: 'lookup',
    RENOVATE_BASE_DIR: await temporaryFolder(t),
  }
  const { stdout } = await run(process.execPath, [script], { cwd, env, maxBuffer: 64 * 1024 * 1024 })
  const deps = renovateDeps(stdout)
  assert.deepEqual(
    deps.map(({ depName, updates, sourceUrl }) => [depName, updates.at(-1)?.newVersion, sourceUrl]),
    [
      ['acme-core', '2.0.0', SHOWN.repository],
      // As the API of the uplink tells it.
      ['open-core', '2.0.0', 'https://git.example/open-core'],
    ],
  )
  for (const { updates } of deps) assert.ok(Date.parse(updates[0]?.releaseTimestamp ?? '') > 0)
  assert.deepEqual(
    server.takeRequests().filter(({ status }) => status !== 200),
    [],
  )
})

function both(name: string, versions: string, statuses: readonly number[]): readonly string[] {
  const clients = ['crates-index', 'tame-index']
  return statuses.flatMap((status) => clients.map((client) => `${client} ${status} ${name}${versions}`))
}
