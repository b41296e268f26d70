import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pubtime } from '../../src/protocol/index-entry.ts'
import { assertRun } from '../support/bench.ts'
import { type CargoHome, cargoHome, manifest, project, temporaryFolder } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'
import { startUplink } from '../support/uplink.ts'
import { clientOf } from './client.ts'
import { startVerdaccio, type Verdaccio } from './host.ts'
import type { Installation } from './install.ts'
import type { NpmUser } from './npm.ts'
import { revoke } from './revocation.ts'
import { hasDotSegment, listsHaveNoCrates, type Published, routesReadNoCrates } from './separation.ts'
import { slowReadersCostNothing } from './slow-readers.ts'
import { pagesLinkToCrates } from './web.ts'

const REPLACED = { source: { 'crates-io': { 'replace-with': 'ours' } } }
const PROVIDER = { registry: { 'global-credential-providers': ['cargo:token'] } }
const LARGE = { name: 'large-crate', version: '1.0.0' }
/** Three quarters of it are left when it is packed. */
const LARGE_TEXT_BYTES = 12_400_000

/** What people do every day, with real npm and real cargo, in one process; then what the process has to say of it. */
export async function npmAndCargoShare(t: TestContext, installed: Installation): Promise<void> {
  const young = { crate: crateFile('open-core', '1.3.0'), pubtime: pubtime(new Date()) }
  const uplink = await startUplink(t, { crates: [crateFile('open-core', '1.2.0'), young] })
  const verdaccio = await startVerdaccio(t, installed, {
    cargo: {
      enabled: true,
      web: true,
      limits: { crate: '40MiB' },
      uplinks: { 'crates-io': { url: uplink.url } },
      packages: { '**': { proxy: 'crates-io', min_age: '3d' } },
    },
    config: { plugins: join(import.meta.dirname, 'plugins') },
    middlewares: { scrape: { from: installed.folder } },
  })
  const zoe = await verdaccio.addUser('zoe')
  await t.test('npm publishes and installs', () => npmRoundTrip(verdaccio, zoe))
  const home = await cargoHome(t, {
    registries: { ours: verdaccio.index },
    config: { ...PROVIDER, ...REPLACED },
  })
  const made = await verdaccio.createToken(zoe)
  await t.test('cargo does all it can', () => cargoRoundTrip(t, home, [zoe.token, made]))
  const revoked = await revoke(verdaccio, zoe, made)

  const published = await publishedIn(verdaccio)
  await t.test("npm's lists have no crates", () => listsHaveNoCrates(verdaccio, zoe, published))
  const isIgnored = (path: string) => installed.version.startsWith('9') && hasDotSegment(path)
  await t.test("npm's routes read no crates", () => routesReadNoCrates(verdaccio, zoe, published, isIgnored))
  await t.test('the web has a link to the crates', (inner) => pagesLinkToCrates(inner, verdaccio))
  await t.test('the access log tells who it was', () => logTellsUser(verdaccio, [zoe.token, made]))
  await t.test("metrics are on prom-client's default registry", () => metricsAreShared(verdaccio))
  await t.test('a revoked token is worth as much to cargo as to npm', () =>
    revoked.isRefused(home, installed),
  )
  await t.test('slow readers cost no memory', () => slowReadersCostNothing(t, verdaccio, zoe.token))
}

/** The same of version 9 where it answers every path. */
export async function dotsReadNoCrates(t: TestContext, installed: Installation): Promise<void> {
  const verdaccio = await startVerdaccio(t, installed, { config: { server: { dotfiles: 'allow' } } })
  const zoe = await verdaccio.addUser('zoe')
  await npmRoundTrip(verdaccio, zoe)
  assert.equal(await clientOf(verdaccio.url, zoe.token).publish(crateFile('hello-cargo', '0.1.0')), 200)
  await routesReadNoCrates(verdaccio, zoe, await publishedIn(verdaccio), () => false)
}

async function publishedIn({ url }: Verdaccio): Promise<Published> {
  const cksum = (await clientOf(url).versions('hello-cargo'))?.get('0.1.0') ?? ''
  return { npm: 'hello-npm', crate: 'hello-cargo', canaries: [cksum, 'The crate hello-cargo'] }
}

async function npmRoundTrip(verdaccio: Verdaccio, user: NpmUser): Promise<void> {
  const manifestFile = { name: 'hello-npm', version: '1.0.0', main: 'index.js' }
  await writeFile(join(user.home, 'package.json'), JSON.stringify(manifestFile))
  await writeFile(join(user.home, 'index.js'), 'module.exports = 42\n')
  await verdaccio.npm(user, 'publish')
  const place = join(user.home, 'place')
  await mkdir(place, { recursive: true })
  await verdaccio.npm(user, 'install', '--prefix', place, 'hello-npm')
  const installed = await readFile(join(place, 'node_modules', 'hello-npm', 'index.js'), 'utf8')
  assert.equal(installed, 'module.exports = 42\n')
}

/** One token is of `npm adduser`, the other one of `npm token create`. */
async function cargoRoundTrip(
  t: TestContext,
  home: CargoHome,
  [login, made]: readonly [string, string],
): Promise<void> {
  const folder = await temporaryFolder(t)
  const publish = ['publish', '--registry', 'ours', '--no-verify', '--allow-dirty']
  const logIn = (token: string) => home.cargo(['login', '--registry', 'ours'], { input: `${token}\n` })
  assertRun(await logIn(login), 0, 'saved')
  const crate = await project(join(folder, 'hello-cargo'), { manifest: manifest('hello-cargo', '0.1.0') })
  assertRun(await home.cargo(publish, { cwd: crate }), 0, 'Published')
  assertRun(await logIn(made), 0, 'saved')
  const large = await project(join(folder, LARGE.name), {
    manifest: manifest(LARGE.name, LARGE.version),
    files: { 'src/lib.rs': '', 'src/noise.txt': randomBytes(LARGE_TEXT_BYTES * 0.75).toString('base64') },
  })
  assertRun(await home.cargo(publish, { cwd: large }), 0, 'Published')
  const dependencies = ['hello-cargo = { version = "0.1"', `${LARGE.name} = { version = "1"`]
  const app = await project(join(folder, 'app'), {
    manifest: manifest(
      'app',
      '0.1.0',
      `[dependencies]\nopen-core = "1"\n${dependencies.map((one) => `${one}, registry = "ours" }\n`).join('')}`,
    ),
  })
  assertRun(await home.cargo(['fetch'], { cwd: app }), 0, `Downloaded ${LARGE.name}`)
  assertRun(
    await home.cargo(['build'], { cwd: app }),
    0,
    'Compiling hello-cargo',
    'Compiling open-core v1.2.0',
  )
  assertRun(await home.cargo(['search', '--registry', 'ours', 'hello']), 0, 'hello-cargo = "0.1.0"')
  const owner = ['owner', '--registry', 'ours', 'hello-cargo']
  assertRun(await home.cargo([...owner, '--list']), 0, 'zoe')
  assertRun(await home.cargo([...owner, '--add', 'ann']), 0)
  assertRun(await home.cargo([...owner, '--list']), 0, 'ann', 'zoe')
  const yank = ['yank', '--registry', 'ours', '--version', '0.1.0', 'hello-cargo']
  assertRun(await home.cargo(yank), 0)
  assertRun(await home.cargo([...yank, '--undo']), 0)
}

async function logTellsUser(verdaccio: Verdaccio, tokens: readonly string[]): Promise<void> {
  const lines = verdaccio.log().split('\n')
  const publish = lines.filter((line) => line.includes('/-/cargo/api/v1/crates/new') && line.includes('PUT'))
  assert.ok(
    publish.some((line) => line.includes('"user":"zoe"')),
    publish.join('\n'),
  )
  for (const token of tokens) assert.ok(!verdaccio.log().includes(token), 'the token is in the log')
  assert.ok(lines.some((line) => line.includes('"plugin":"verdaccio-cargo"') && line.includes('"audit"')))
}

async function metricsAreShared({ origin }: Verdaccio): Promise<void> {
  const response = await fetch(`${origin}/-/metrics`)
  const text = await response.text()
  assert.equal(/^cargo_publishes_total (\d+)$/m.exec(text)?.[1], '2')
  assert.ok(Number(/^cargo_downloads_total (\d+)$/m.exec(text)?.[1]) >= 3)
}
