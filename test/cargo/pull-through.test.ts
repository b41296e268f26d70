import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { pubtime } from '../../src/protocol/index-entry.ts'
import { redisServer } from '../hosts/redis-server.ts'
import { assertRun, bench, overEachTransport } from '../support/bench.ts'
import { type CargoHome, cargoHome, manifest, project, temporaryFolder } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'
import { generatedWorkspace } from '../support/generated-workspace.ts'
import type { ServerSpec } from '../support/server.ts'
import { startUplink, type Uplink } from '../support/uplink.ts'
import type { UplinkInput } from '../support/uplink-content.ts'

const WORKSPACE = generatedWorkspace()
const REPLACED = { config: { source: { 'crates-io': { 'replace-with': 'ours' } } } }
const CRATES = /^\/crates\//
const INDEX_FILES = /^\/index\/(?!config)/

overEachTransport('pull-through', (transport) => {
  test('gives what the uplink gives: cold, warm, locked, and with the uplink away', async (t) => {
    const { uplink, project, freshHome, lockOf } = await pullThrough(t, { transport })
    const wanted = await lockWithoutUs(t, uplink)
    const cwd = await project({ manifest: WORKSPACE.manifest })
    const cold = await freshHome(REPLACED)
    assertRun(await cold.cargo(['fetch'], { cwd }), 0)
    assert.equal(await lockOf(cwd), wanted)
    const crates = uplink.hits(CRATES)
    assert.equal(crates, wanted.match(/^checksum = /gm)?.length)
    assert.ok(crates >= 150)

    await uplink.stop()
    assertRun(await (await freshHome(REPLACED)).cargo(['check', '--locked'], { cwd }), 0, 'Finished')
    assertRun(await cold.cargo(['update'], { cwd }), 0)
    assert.equal(await lockOf(cwd), wanted)
  })
})

describe('pull-through', { concurrency: 2 }, () => {
  test('builds with the uplink and Redis away', async (t) => {
    const redis = await redisServer()
    t.after(() => redis.close())
    const { uplink, project, freshHome, lockOf } = await pullThrough(t, { redis: redis.url })
    const cwd = await project({ manifest: WORKSPACE.manifest })
    await redis.stop()
    assertRun(await (await freshHome(REPLACED)).cargo(['fetch'], { cwd }), 0)
    const lock = await lockOf(cwd)
    await redis.start()
    await uplink.stop()
    assertRun(await (await freshHome(REPLACED)).cargo(['fetch', '--locked'], { cwd }), 0)
    await redis.stop()
    const cold = await project({ manifest: WORKSPACE.manifest })
    assertRun(await (await freshHome(REPLACED)).cargo(['check'], { cwd: cold }), 0, 'Finished')
    assert.equal(await lockOf(cold), lock)
  })

  test('locks the same versions when crates are taken by the name of the registry', async (t) => {
    const { uplink, project, freshHome, lockOf, server } = await pullThrough(t, {})
    const wanted = await lockWithoutUs(t, uplink)
    const named = WORKSPACE.manifest.replaceAll('{ version', '{ registry = "ours", version')
    assert.notEqual(named, WORKSPACE.manifest)
    const cwd = await project({ manifest: named })
    assertRun(await (await freshHome()).cargo(['fetch'], { cwd }), 0)
    const source = 'registry+https://github.com/rust-lang/crates.io-index'
    assert.equal((await lockOf(cwd)).replaceAll(server.index, source), wanted)
  })

  test('vendors, and builds from the vendored crates offline', async (t) => {
    const { uplink, project, freshHome } = await pullThrough(t, {})
    const cwd = await project({ manifest: WORKSPACE.manifest })
    const home = await freshHome(REPLACED)
    const vendor = await home.cargo(['vendor', '--respect-source-config'], { cwd })
    assertRun(vendor, 0)
    assert.ok((await readdir(join(cwd, 'vendor'))).length >= 150)
    await uplink.stop()
    const offline = await freshHome()
    await addConfig(offline, vendor.stdout.replace('"vendor"', JSON.stringify(join(cwd, 'vendor'))))
    assertRun(await offline.cargo(['check', '--offline', '--locked'], { cwd }), 0, 'Finished')
  })

  test('compiles no crate twice when private crates depend on public ones', async (t) => {
    const { project, freshHome } = await pullThrough(t, {})
    const home = await freshHome({ ...REPLACED, tokens: { ours: 'ann-token' } })
    const [shared = '', other = ''] = WORKSPACE.direct
    const deps = `[dependencies]\n${shared} = "*"\n`
    const thing = await project({ manifest: manifest('private-thing', '1.0.0', deps) })
    assertRun(await home.cargo(['publish', '--registry', 'ours', '--no-verify'], { cwd: thing }), 0)
    const more = `${other} = "*"\nprivate-thing = { version = "1", registry = "ours" }\n`
    const cwd = await project({ manifest: manifest('app', '0.1.0', deps + more) })
    const check = await home.cargo(['check'], { cwd })
    assertRun(check, 0, 'Checking private-thing v1.0.0')
    const compiled = [...check.stderr.matchAll(/(?:Checking|Compiling) (\S+ v\S+)/g)].map(
      ([, crate]) => crate,
    )
    assert.ok(compiled.length > 10)
    assert.equal(new Set(compiled).size, compiled.length, check.stderr)
  })

  test('takes a young version as yanked: nothing picks it, a lock file keeps it', async (t) => {
    const crates = [crateFile('foo'), { crate: crateFile('foo', '1.1.0'), pubtime: pubtime(new Date()) }]
    const rule = { access: '$all', publish: '$authenticated', proxy: 'crates-io', min_age: '7d' }
    const { project, freshHome, lockOf } = await pullThrough(
      t,
      { options: { packages: { '**': rule } } },
      crates,
    )
    const cwd = await project({ manifest: manifest('app', '0.1.0', '[dependencies]\nfoo = "1"\n') })
    const home = await freshHome(REPLACED)
    assertRun(await home.cargo(['generate-lockfile'], { cwd }), 0)
    assert.match(await lockOf(cwd), /name = "foo"\nversion = "1\.0\.0"/)
    assertRun(await home.cargo(['update', 'foo', '--precise', '1.1.0'], { cwd }), 0)
    assert.match(await lockOf(cwd), /name = "foo"\nversion = "1\.1\.0"/)
    assertRun(
      await (await freshHome(REPLACED)).cargo(['check', '--locked'], { cwd }),
      0,
      'Checking foo v1.1.0',
    )
  })

  test('serves everything local where the uplink cannot be reached', async (t) => {
    const uplink = await startUplink(t)
    await uplink.stop()
    // As the built-in configuration has crates.io.
    const uplinks = { 'crates-io': { url: uplink.url, optional: true } }
    const { project, freshHome } = await bench(t, { options: { uplinks } })
    const home = await freshHome({ ...REPLACED, tokens: { ours: 'ann-token' } })
    const thing = await project({ manifest: manifest('local-thing') })
    const publish = await home.cargo(['publish', '--registry', 'ours', '--no-verify'], { cwd: thing })
    assertRun(publish, 0, 'Published local-thing v1.0.0', 'it could not be checked whether an uplink has')
    const deps = '[dependencies]\nlocal-thing = { version = "1", registry = "ours" }\n'
    const cwd = await project({ manifest: manifest('app', '0.1.0', deps) })
    assertRun(await home.cargo(['check'], { cwd }), 0, 'Checking local-thing v1.0.0')
    assertRun(await home.cargo(['search', 'thing', '--registry', 'ours']), 0, 'local-thing = "1.0.0"')
    assertRun(await home.cargo(['yank', '--registry', 'ours', '--version', '1.0.0', 'local-thing']), 0)
  })

  test('asks the uplink for each file once, however it is fetched', async (t) => {
    const { uplink, project, freshHome } = await pullThrough(t, {})
    const cwd = await project({ manifest: WORKSPACE.manifest })
    assertRun(await (await freshHome(REPLACED)).cargo(['fetch'], { cwd }), 0)
    const paths = uplink.requests.map(({ path }) => path)
    assert.deepEqual(paths.length, new Set(paths).size)
    assert.ok(uplink.hits(INDEX_FILES) >= 150)
  })
})

async function pullThrough(
  t: TestContext,
  { options, ...spec }: ServerSpec,
  crates: Iterable<UplinkInput> = WORKSPACE.crates,
) {
  const uplink = await startUplink(t, { crates })
  const uplinks = { 'crates-io': { url: uplink.index } }
  const rest = await bench(t, { ...spec, options: { uplinks, ...options } })
  const lockOf = (folder: string) => readFile(join(folder, 'Cargo.lock'), 'utf8')
  return { uplink, lockOf, ...rest }
}

/** The lock file that cargo makes straight from the uplink. */
async function lockWithoutUs(t: TestContext, uplink: Uplink): Promise<string> {
  const home = await cargoHome(t, { registries: {}, cratesIo: uplink.index })
  const cwd = await project(await temporaryFolder(t), { manifest: WORKSPACE.manifest })
  assertRun(await home.cargo(['generate-lockfile'], { cwd }), 0)
  return readFile(join(cwd, 'Cargo.lock'), 'utf8')
}

async function addConfig(home: CargoHome, more: string): Promise<void> {
  const file = join(home.folder, 'config.toml')
  await writeFile(file, `${await readFile(file, 'utf8')}\n${more}`)
}
