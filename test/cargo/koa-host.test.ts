import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { passH2c } from '../../src/hosts/koa.ts'
import { startApp } from '../support/app.ts'
import { assertRun } from '../support/bench.ts'
import { cargoHome, manifest, project, temporaryFolder } from '../support/cargo.ts'

/** A Koa host with the registry, and a cargo that knows it as `ours`. */
async function host(t: TestContext) {
  const app = await startApp(t)
  const folder = await temporaryFolder(t)
  const home = await cargoHome(t, {
    registries: { ours: `sparse+${app.url}/` },
    tokens: { ours: 'ann' },
  })
  const publish = async (name: string, files: Readonly<Record<string, string>> = {}) => {
    const cwd = await project(join(folder, name), { manifest: manifest(name), files })
    return home.cargo(['publish', '--registry', 'ours', '--no-verify'], { cwd })
  }
  const fetch = async (name: string) => {
    const dependencies = `[dependencies]\n${name} = { version = "1", registry = "ours" }\n`
    const cwd = await project(join(folder, 'app'), { manifest: manifest('app', '1.0.0', dependencies) })
    return home.cargo(['fetch'], { cwd })
  }
  return { app, publish, fetch }
}

test('cargo over http is served by a host that has web sockets too', async (t) => {
  const { app, publish, fetch } = await host(t)
  const dropped: string[] = []
  app.server.on('upgrade', (request, socket: Socket) => {
    dropped.push(request.url ?? '')
    socket.destroy()
  })
  assertRun(await publish('before'), 101, 'Server returned nothing')
  assert.ok(dropped.length > 0)
  passH2c(app.server)
  dropped.splice(0)
  assertRun(await publish('hello'), 0, 'Published hello v1.0.0')
  assertRun(await fetch('hello'), 0, 'Downloaded hello v1.0.0')
  assert.deepEqual(dropped, [])
})

test('cargo waits for leave to send over 1 MiB, and gets it', async (t) => {
  const { app, publish } = await host(t)
  const expected: (string | undefined)[] = []
  app.server.on('checkContinue', ({ url }) => expected.push(url))
  const noise = randomBytes(2 * 1024 * 1024).toString('base64')
  assertRun(await publish('big', { 'noise.txt': noise }), 0, 'Published big v1.0.0')
  assert.deepEqual(expected, ['/cargo/api/v1/crates/new'])
})
