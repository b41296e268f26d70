import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { assertRun, bench, overEachTransport } from '../support/bench.ts'
import { cargoHome } from '../support/cargo.ts'
import { generatedWorkspace } from '../support/generated-workspace.ts'
import type { Transport } from '../support/server.ts'
import { startUplink } from '../support/uplink.ts'

const WORKSPACE = generatedWorkspace()
const REPLACED = { config: { source: { 'crates-io': { 'replace-with': 'ours' } } } }

overEachTransport('pull-through', (transport) => {
  test('resolves, fetches and checks cold, warm, locked, and with the uplink away', async (t) => {
    const { uplink, project, freshHome } = await proxyBench(t, transport)
    const cwd = await project({ manifest: WORKSPACE.manifest })
    assertRun(await (await freshHome(REPLACED)).cargo(['fetch'], { cwd }), 0)
    const lock = await readFile(join(cwd, 'Cargo.lock'), 'utf8')
    const locked = lock.match(/^checksum = /gm)?.length ?? 0
    assert.ok(locked >= 150, `${locked} crates`)
    assert.equal(uplink.hits(/^\/crates\//), locked)
    await uplink.stop()
    const home = await freshHome(REPLACED)
    assertRun(await home.cargo(['check', '--locked'], { cwd }), 0, 'Finished')
    assertRun(await home.cargo(['update'], { cwd }), 0)
    assert.equal(await readFile(join(cwd, 'Cargo.lock'), 'utf8'), lock)
  })
})

async function proxyBench(t: TestContext, transport: Transport) {
  const uplink = await startUplink(t, { crates: WORKSPACE.crates })
  const options = { uplinks: { 'crates-io': { url: uplink.index } } }
  const rest = await bench(t, { transport, options })
  const direct = () => cargoHome(t, { registries: {}, cratesIo: uplink.index })
  return { uplink, direct, ...rest }
}
