import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertRun } from '../support/bench.ts'
import { cargoHome, manifest, project, temporaryFolder } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'
import { startUplink } from '../support/uplink.ts'
import { install, startVerdaccio, type VerdaccioVersion } from './host.ts'
import { tokensAreVerdaccios } from './tokens.ts'

const LONGEST_MS = 180_000
const REPLACED = { source: { 'crates-io': { 'replace-with': 'ours' } } }
const PROVIDER = { registry: { 'global-credential-providers': ['cargo:token'] } }

/** Declares what people do every day, with real npm and real cargo, inside one version of Verdaccio. */
export function declareEveryday(version: VerdaccioVersion): void {
  test(`inside Verdaccio ${version}`, { timeout: LONGEST_MS }, async (suite) => {
    const installed = await install(suite, version)
    await suite.test('tokens are those of npm', (t) => tokensAreVerdaccios(t, installed))

    await suite.test('npm and cargo share users and tokens', async (t) => {
      const uplink = await startUplink(t, { crates: [crateFile('open-core', '1.2.0')] })
      const cargo = { uplinks: { 'crates-io': { url: uplink.url } } }
      const verdaccio = await startVerdaccio(t, installed, { cargo })
      const zoe = await verdaccio.addUser('zoe')
      await npmRoundTrip(verdaccio, zoe)

      const spec = { registries: { ours: verdaccio.index }, config: { ...PROVIDER, ...REPLACED } }
      const home = await cargoHome(t, spec)
      const login = ['login', '--registry', 'ours']
      assertRun(await home.cargo(login, { input: `${zoe.token}\n` }), 0, 'saved')
      const folder = await temporaryFolder(t)
      const crate = await project(join(folder, 'hello-cargo'), { manifest: manifest('hello-cargo', '0.1.0') })
      assertRun(
        await home.cargo(['publish', '--registry', 'ours', '--no-verify'], { cwd: crate }),
        0,
        'Published',
      )
      const app = await project(join(folder, 'app'), {
        manifest: manifest(
          'app',
          '0.1.0',
          '[dependencies]\nhello-cargo = { version = "0.1", registry = "ours" }\nopen-core = "1"\n',
        ),
      })
      assertRun(await home.cargo(['build'], { cwd: app }), 0, 'Compiling hello-cargo', 'Compiling open-core')
      assertRun(await home.cargo(['search', '--registry', 'ours', 'hello']), 0, 'hello-cargo = "0.1.0"')
      const owner = ['owner', '--registry', 'ours', 'hello-cargo']
      assertRun(await home.cargo([...owner, '--list']), 0, 'zoe')
      assertRun(await home.cargo([...owner, '--add', 'ann']), 0)
      assertRun(await home.cargo([...owner, '--list']), 0, 'ann', 'zoe')
      const yank = ['yank', '--registry', 'ours', '--version', '0.1.0', 'hello-cargo']
      assertRun(await home.cargo(yank), 0)
      assertRun(await home.cargo([...yank, '--undo']), 0)
    })
  })
}

type Host = Awaited<ReturnType<typeof startVerdaccio>>
type User = Awaited<ReturnType<Host['addUser']>>

/** npm's own publish and install. */
async function npmRoundTrip(verdaccio: Host, user: User): Promise<void> {
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
