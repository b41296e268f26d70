import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { redisServer } from '../hosts/redis-server.ts'
import { assertRun, bench } from '../support/bench.ts'
import { manifest } from '../support/cargo.ts'
import { startUplink } from '../support/uplink.ts'
import { realCrates, realUplink } from './real-uplink.ts'

// Real input, by hand (`npm run real`): needs crates.io once, which the suite must not. What cargo fetched as it is set
// up on this machine is served by an uplink on loopback; everything below comes through our registry from that.

const REPLACED = { config: { source: { 'crates-io': { 'replace-with': 'ours' } } } }
/** Nearly three hundred crates on two cores. */
const BUILD_MS = 20 * 60_000

test('a real workspace comes through the registry', { timeout: 2 * BUILD_MS }, async (t) => {
  const real = await realUplink()
  assert.ok(real, 'crates.io cannot be reached: this needs it once')
  const redis = await redisServer()
  t.after(() => redis.close())
  const uplink = await startUplink(t, { crates: await realCrates(real.folder) })
  const options = { uplinks: { 'crates-io': { url: uplink.url } } }
  const { server, project, freshHome } = await bench(t, { options, redis: redis.url })
  const cwd = await project({ manifest: real.manifest })
  const lockOf = (folder: string) => readFile(join(folder, 'Cargo.lock'), 'utf8')
  const step = (what: string) => t.diagnostic(`${what} (${uplink.requests.length} uplink requests so far)`)

  const home = await freshHome(REPLACED)
  assertRun(await home.cargo(['fetch'], { cwd }), 0)
  assert.equal(await lockOf(cwd), real.lock)
  const crates = real.lock.match(/^checksum = /gm)?.length ?? 0
  assert.ok(crates >= 150)
  step(`cold: ${crates} crates, the lock file equals the one made without us`)
  assertRun(
    await (await freshHome(REPLACED)).cargo(['fetch'], { cwd: await project({ manifest: real.manifest }) }),
    0,
  )
  step('warm')
  assertRun(await home.cargo(['build', '--locked'], { cwd, timeout: BUILD_MS }), 0, 'Finished')
  step('built')

  const named = await project({ manifest: byName(real.manifest) })
  assertRun(await (await freshHome()).cargo(['fetch'], { cwd: named }), 0)
  const source = 'registry+https://github.com/rust-lang/crates.io-index'
  assert.equal((await lockOf(named)).replaceAll(server.index, source), real.lock)
  step('taken by the name of the registry: the lock file is equal but for the source')

  const owner = await freshHome({ ...REPLACED, tokens: { ours: 'ann-token' } })
  const thing = await project({ manifest: manifest('thing', '1.0.0', '[dependencies]\nserde = "1"\n') })
  assertRun(await owner.cargo(['publish', '--registry', 'ours', '--no-verify'], { cwd: thing }), 0)
  const deps =
    '[dependencies]\nserde = "1"\ntracing-subscriber = "0.3"\nthing = { version = "1", registry = "ours" }\n'
  const mixed = await project({ manifest: manifest('app', '0.1.0', deps) })
  const target = { CARGO_TARGET_DIR: join(mixed, 'target') }
  const check = await owner.cargo(['check'], { cwd: mixed, env: target, timeout: BUILD_MS })
  assertRun(check, 0, 'Checking thing v1.0.0')
  const compiled = [...check.stderr.matchAll(/(?:Checking|Compiling) (\S+ v\S+)/g)].map(([, crate]) => crate)
  assert.equal(new Set(compiled).size, compiled.length, check.stderr)
  step(`a private crate beside public ones: ${compiled.length} crates, none compiled twice`)

  await redis.stop()
  assertRun(await (await freshHome(REPLACED)).cargo(['fetch', '--locked'], { cwd }), 0)
  step('without Redis')
  await redis.start()
  await uplink.stop()
  assertRun(await (await freshHome(REPLACED)).cargo(['fetch', '--locked'], { cwd }), 0)
  step('without the uplink')
  await redis.stop()
  const vendoring = await freshHome(REPLACED)
  const vendor = await vendoring.cargo(['vendor', '--locked', '--respect-source-config'], { cwd })
  assertRun(vendor, 0)
  assert.ok((await readdir(join(cwd, 'vendor'))).length >= 150)
  step('vendored without both')
  const offline = await freshHome()
  const file = join(offline.folder, 'config.toml')
  const config = vendor.stdout.replace('"vendor"', JSON.stringify(join(cwd, 'vendor')))
  await writeFile(file, `${await readFile(file, 'utf8')}\n${config}`)
  assertRun(
    await offline.cargo(['check', '--offline', '--locked'], { cwd, timeout: BUILD_MS }),
    0,
    'Finished',
  )
  step('checked from the vendored crates')
})

/** The same dependencies, each from the registry called `ours`. */
function byName(text: string): string {
  return text
    .replace(/^(\S+) = "(.*)"$/gm, (line, name, version) =>
      /^(name|version|edition)$/.test(name) ? line : `${name} = { version = "${version}" }`,
    )
    .replaceAll('{ version', '{ registry = "ours", version')
}
