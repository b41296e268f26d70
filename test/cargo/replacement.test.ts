import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertRun, bench, overEachTransport } from '../support/bench.ts'
import { type CargoHome, manifest } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'

const REPLACED = { config: { source: { 'crates-io': { 'replace-with': 'ours' } } } }
const PUBLIC = manifest('app', '0.1.0', '[dependencies]\nouter = "1"\n')

overEachTransport('source replacement', (transport) => {
  test('locks crates.io as the source, and needs no other', async (t) => {
    const { server, project, freshHome } = await bench(t, { transport })
    await server.seed(crateFile('inner'), crateFile('outer').dep('inner', '1'))
    const home = await freshHome({ ...REPLACED, tokens: { ours: 'ann-token' } })
    const cwd = await project({ manifest: PUBLIC })
    const env = { CARGO_REGISTRY_TOKEN: 'crates-io-token' }
    assertRun(await home.cargo(['check'], { cwd, env }), 0, 'Checking inner v1.0.0')
    assert.ok(server.takeRequests().every(({ user, status }) => user === undefined && status === 200))
    const lock = await readFile(join(cwd, 'Cargo.lock'), 'utf8')
    for (const name of ['inner', 'outer']) {
      const [entry] = await server.entries(name)
      const source = 'registry+https://github.com/rust-lang/crates.io-index'
      const lines = `name = "${name}"\nversion = "1.0.0"\nsource = "${source}"\nchecksum = "${entry?.cksum}"`
      assert.ok(lock.includes(lines), lock)
    }
    const search = await home.cargo(['search', 'outer'])
    assertRun(search, 101, 'crates-io is replaced with remote registry ours', '--registry ours')
    assertRun(await home.cargo(['search', 'outer', '--registry', 'ours']), 0, 'outer = "1.0.0"')
  })

  test('gives the lock file that crates.io gives', async (t) => {
    const { server, project, freshHome } = await bench(t, { transport })
    await server.seed(crateFile('inner'), crateFile('outer').dep('inner', '1'))
    const direct = await project({ manifest: PUBLIC })
    const original = await freshHome({ registries: {}, cratesIo: server.index })
    assertRun(await original.cargo(['generate-lockfile'], { cwd: direct }), 0)
    const replaced = await freshHome(REPLACED)
    assertRun(await replaced.cargo(['check', '--locked'], { cwd: direct }), 0, 'Checking outer v1.0.0')
    const other = await project({ manifest: PUBLIC })
    assertRun(await replaced.cargo(['generate-lockfile'], { cwd: other }), 0)
    const read = (folder: string) => readFile(join(folder, 'Cargo.lock'), 'utf8')
    assert.equal(await read(other), await read(direct))
  })

  test('vendors, and builds from the vendored sources offline', async (t) => {
    const { server, project, freshHome } = await bench(t, { transport })
    const own = { version: '1', 'registry-index': server.index, own: true }
    await server.seed(
      crateFile('inner'),
      crateFile('outer').dep('inner', '1'),
      crateFile('private').dep('secret', own).dep('inner', '1'),
      crateFile('secret'),
    )
    const dependencies = 'outer = "1"\nprivate = { version = "1", registry = "ours" }\n'
    const cwd = await project({ manifest: manifest('app', '0.1.0', `[dependencies]\n${dependencies}`) })
    const vendor = await (await freshHome(REPLACED)).cargo(['vendor', '--respect-source-config'], { cwd })
    assertRun(vendor, 0, 'Vendoring secret v1.0.0')
    const offline = await freshHome()
    await writeConfig(offline, vendor.stdout.replace('"vendor"', JSON.stringify(join(cwd, 'vendor'))))
    server.takeRequests()
    const build = await offline.cargo(['check', '--offline', '--locked'], { cwd })
    assertRun(build, 0, 'Checking inner v1.0.0', 'Checking private v1.0.0', 'Checking secret v1.0.0')
    assert.equal(build.stderr.match(/Checking inner/g)?.length, 1)
    assert.deepEqual(server.takeRequests(), [])
  })

  test('publishes crates with dependencies on crates.io', async (t) => {
    const { server, project, freshHome } = await bench(t, { transport })
    await server.seed(crateFile('inner'))
    const home = await freshHome({ ...REPLACED, tokens: { ours: 'ann-token' } })
    const cwd = await project({ manifest: manifest('upper', '1.0.0', '[dependencies]\ninner = "1"\n') })
    assertRun(await home.cargo(['publish', '--registry', 'ours'], { cwd }), 0, 'Published upper v1.0.0')
    const [entry] = await server.entries('upper')
    assert.equal(entry?.deps[0]?.registry, 'https://github.com/rust-lang/crates.io-index')
  })
})

/** Adds to a home's configuration, as `cargo vendor` asks for. */
async function writeConfig(home: CargoHome, more: string): Promise<void> {
  const file = join(home.folder, 'config.toml')
  await writeFile(file, `${await readFile(file, 'utf8')}\n${more}`)
}
