import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { assertRun, bench, overEachTransport } from '../support/bench.ts'
import { manifest } from '../support/cargo.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'

overEachTransport('cargo publish', (transport) => {
  test('shows the reason when a crate is too large', async (t) => {
    const { server, publish } = await bench(t, { transport, options: { limits: { crate: '64KiB' } } })
    const noise = randomBytes(3 * 1024 * 1024).toString('base64')
    const run = await publish({ manifest: manifest('big'), files: { 'noise.txt': noise } })
    assertRun(run, 101, /status 413 Payload Too Large\): .*64 KiB|status 413 Payload Too Large\): .*65536/)
    assert.deepEqual(await server.entries('big'), [])
  })

  test('refuses a version that is there, and one that differs in build metadata only', async (t) => {
    const { server, publish } = await bench(t, { transport })
    assertRun(await publish({ manifest: manifest('once') }), 0)
    server.takeRequests()
    const again = await publish({ manifest: manifest('once') })
    assertRun(again, 101, 'crate once@1.0.0 already exists on `ours` index')
    assert.ok(server.takeRequests().every(({ method }) => method === 'GET'))
    // This cargo looks for it itself; others do not.
    const metadata = await publish({ manifest: manifest('once', '1.0.0+build.2') })
    assertRun(metadata, 101, 'crate once@1.0.0+build.2 already exists on `ours` index')
    const body = publishBody(crateFile('once', '1.0.0+build.2'))
    const sent = await server.send('/api/v1/crates/new', { method: 'PUT', token: 'ann-token', body })
    assert.equal(sent.status, 409)
    assert.match(sent.text, /`1\.0\.0/)
    assert.equal((await server.entries('once')).length, 1)
  })

  test('refuses a name that differs in case or separator only', async (t) => {
    const { server, publish } = await bench(t, { transport })
    await server.seed(crateFile('my-crate'))
    const run = await publish({ manifest: manifest('my_crate') })
    assertRun(run, 101, 'status 409 Conflict', '`my-crate`')
    assert.deepEqual(await server.entries('my_crate'), [])
  })

  test('a dry run only reads', async (t) => {
    const { server, publish } = await bench(t, { transport })
    const run = await publish({ manifest: manifest('dry') }, ['--dry-run'])
    assertRun(run, 0, 'aborting upload due to dry run')
    const requests = server.takeRequests()
    assert.ok(requests.length > 0)
    assert.deepEqual(
      requests.filter(({ method, user }) => method !== 'GET' || user !== undefined),
      [],
    )
  })

  test('needs a token, and a good one', async (t) => {
    const { server, project, freshHome } = await bench(t, { transport })
    const cwd = await project({ manifest: manifest('secret') })
    const args = ['publish', '--registry', 'ours', '--no-verify']
    const none = await (await freshHome()).cargo(args, { cwd })
    assertRun(none, 101, 'no token found for `ours`, please run `cargo login --registry ours`')
    assert.ok(server.takeRequests().every(({ method }) => method === 'GET'))
    const wrong = await (await freshHome({ tokens: { ours: 'wrong' } })).cargo(args, { cwd })
    assertRun(wrong, 101, 'status 401 Unauthorized): invalid token or password')
    assert.deepEqual(await server.entries('secret'), [])
    assert.ok(!server.log.some((line) => line.includes('wrong')))
  })

  test('refuses who is no owner, and who the rules deny', async (t) => {
    const packages = { 'team-*': { publish: 'rust-team' }, '**': { publish: '$authenticated' } }
    const { server, project, publish, freshHome } = await bench(t, { transport, options: { packages } })
    assertRun(await publish({ manifest: manifest('anns') }), 0)
    const bob = await freshHome({ tokens: { ours: 'bob-token' } })
    const args = ['publish', '--registry', 'ours', '--no-verify']
    const second = await bob.cargo(args, { cwd: await project({ manifest: manifest('anns', '2.0.0') }) })
    assertRun(second, 101, 'status 403 Forbidden')
    const denied = await bob.cargo(args, { cwd: await project({ manifest: manifest('team-x') }) })
    assertRun(denied, 101, 'status 403 Forbidden')
    assert.deepEqual(await server.entries('team-x'), [])
    assert.equal((await server.entries('anns')).length, 1)
  })

  test('stays away from registries that the manifest does not list', async (t) => {
    const { server, publish } = await bench(t, { transport })
    const run = await publish({ manifest: manifest('elsewhere', '1.0.0', 'publish = ["other"]\n') })
    assertRun(run, 101, '`elsewhere` cannot be published')
    assert.deepEqual(server.takeRequests(), [])
  })
})
