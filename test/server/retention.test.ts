import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fsStorage } from '../../src/hosts/fs.ts'
import { blobKey } from '../../src/registry/keys.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { type CrateFile, crateFile } from '../support/crate-file.ts'
import { type ServerSpec, startServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { startUplink } from '../support/uplink.ts'
import { keysOf } from '../support/watched-store.ts'

/** A server looks for what is to be tidied a minute after its start. */
const FIRST_LOOK_MS = 60_000
/** Past the grace of a day. */
const LONG_AGO = new Date(Date.now() - 5 * 24 * 60 * 60_000)

const blobOf = (crate: CrateFile) => blobKey(createHash('sha256').update(crate.bytes()).digest('hex'))

/** A server, and a way to stop it before the test ends. */
async function stoppable(t: TestContext, spec: ServerSpec) {
  const closers: (() => unknown)[] = []
  let stopped: Promise<unknown> | undefined
  const stop = () => {
    stopped ??= Promise.all(closers.map((close) => close()))
    return stopped
  }
  t.after(stop)
  const server = await startServer({ after: (close) => void closers.push(close) }, spec)
  const download = async ({ name, version }: CrateFile) => {
    const response = await fetch(`${server.url}/api/v1/crates/${name}/${version}/download`)
    assert.equal(response.status, 200)
    return Buffer.from(await response.arrayBuffer())
  }
  const tidied = () => server.log.filter((line) => line.includes('storage was tidied'))
  return { stop, download, tidied, seed: server.seed }
}

test('of two servers on a folder one keeps the files of uplinks small enough: those used last stay', {
  timeout: 170_000,
}, async (t) => {
  const data = join(await temporaryFolder(t), 'data')
  const [idle, used, own] = [crateFile('idle'), crateFile('used'), crateFile('own')]
  const uplink = await startUplink(t, { crates: [idle, used] })
  const spec: ServerSpec = {
    settings: { storage: { fs: { path: data } } },
    options: {
      uplinks: { up: { url: uplink.url } },
      retention: { max_size: idle.bytes().length + used.bytes().length - 1 },
    },
  }
  const storage = fsStorage(data)
  const before = await stoppable(t, spec)
  await before.seed(own)
  for (const crate of [idle, used]) assert.deepEqual(await before.download(crate), crate.bytes())
  await until(async () => (await keysOf(storage, 'blobs/')).length, 3)
  await before.stop()
  // Days later, nobody remembers those downloads; then one of the two is asked for again.
  for (const key of await keysOf(storage, 'downloads/')) await storage.delete(key)
  for (const crate of [idle, used, own]) await utimes(join(data, blobOf(crate)), LONG_AGO, LONG_AGO)
  const lately = await stoppable(t, spec)
  await lately.download(used)
  await lately.stop()

  const servers = await Promise.all([stoppable(t, spec), stoppable(t, spec)])
  const tidied = () => servers.flatMap((server) => server.tidied())
  assert.deepEqual(tidied(), [])
  await sleep(FIRST_LOOK_MS)
  for (let tries = 0; tidied().length === 0 && tries < 300; tries++) await sleep(100)
  // Whoever came second has looked by then.
  await sleep(1_000)
  assert.equal(tidied().length, 1)
  assert.match(tidied()[0] ?? '', /"expired":\{"count":1,/)
  assert.deepEqual(await keysOf(storage, 'blobs/'), [used, own].map(blobOf).sort())

  for (const server of servers)
    for (const crate of [idle, used, own]) assert.deepEqual(await server.download(crate), crate.bytes())
  assert.equal(uplink.hits(uplink.cratePath('idle', '1.0.0')), 2)
  assert.equal(uplink.hits(uplink.cratePath('used', '1.0.0')), 1)
  await until(async () => (await keysOf(storage, 'blobs/')).length, 3)
})
