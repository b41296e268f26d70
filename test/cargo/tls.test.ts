import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { assertRun, bench } from '../support/bench.ts'
import { manifest } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'
import type { Transport } from '../support/server.ts'

const NAMES = Array.from({ length: 12 }, (_, i) => `dep-${i}`)
const APP = manifest(
  'app',
  '0.1.0',
  `[dependencies]\n${NAMES.map((name) => `${name} = { version = "1", registry = "ours" }`).join('\n')}\n`,
)

const MULTIPLEXED: readonly Transport[] = ['https', 'h2c']

for (const transport of MULTIPLEXED)
  test(`over ${transport} cargo speaks HTTP/2`, async (t) => {
    const { server, home, project } = await bench(t, { transport })
    await server.seed(...NAMES.map((name) => crateFile(name)))
    const sessions = new Set<unknown>()
    let streams = 0
    const count = (message: unknown) => {
      const { stream } = message as { readonly stream: { readonly session: unknown } }
      sessions.add(stream.session)
      streams += 1
    }
    channel('http2.server.stream.start').subscribe(count)
    t.after(() => channel('http2.server.stream.start').unsubscribe(count))
    const run = await home.cargo(['fetch'], { cwd: await project({ manifest: APP }) })
    assertRun(run, 0, 'Downloaded dep-11 v1.0.0')
    assert.equal(streams, 1 + 2 * NAMES.length)
    // One connection for the index, one for the crates.
    assert.ok(sessions.size <= 2, `${sessions.size} connections`)
  })

test('over https cargo also speaks HTTP/1.1', async (t) => {
  const { server, home, project, publish } = await bench(t, { transport: 'https' })
  await server.seed(...NAMES.map((name) => crateFile(name)))
  const env = { CARGO_HTTP_MULTIPLEXING: 'false' }
  const cwd = await project({ manifest: APP })
  assertRun(await home.cargo(['fetch'], { cwd, env }), 0, 'Downloaded dep-11 v1.0.0')
  assertRun(await publish({ manifest: manifest('fresh') }), 0, 'Published fresh v1.0.0')
})

test('a certificate that cargo does not know is refused', async (t) => {
  const { server, project, freshHome } = await bench(t, { transport: 'https' })
  const home = await freshHome({ ca: '/dev/null' })
  const run = await home.cargo(['fetch'], { cwd: await project({ manifest: APP }) })
  assertRun(run, 101, /SSL|certificate/)
  assert.deepEqual(server.takeRequests(), [])
})

test('`.crate` files are never sent with a content encoding', async (t) => {
  const { server } = await bench(t)
  await server.seed(crateFile('dep'))
  const headers = { 'accept-encoding': 'deflate, gzip' }
  const reply = await server.send('/api/v1/crates/dep/1.0.0/download', { headers })
  assert.equal(reply.status, 200)
  assert.equal(reply.headers['content-encoding'], undefined)
})
