import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertRun, bench, overEachTransport } from '../support/bench.ts'
import { manifest } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'

const APP = manifest('app', '0.1.0', '[dependencies]\nsoft = { version = "1", registry = "ours" }\n')
const yank = (version: string, ...more: string[]) => [
  'yank',
  'soft',
  '--version',
  version,
  '--registry',
  'ours',
  ...more,
]

overEachTransport('cargo yank', (transport) => {
  test('takes a version away from new lock files, and --undo gives it back', async (t) => {
    const { server, home, project } = await bench(t, { transport })
    await server.seed(crateFile('soft', '1.0.0'), crateFile('soft', '1.1.0'))
    const before = await project({ manifest: APP })
    assertRun(await home.cargo(['generate-lockfile'], { cwd: before }), 0, /Adding soft v1\.1\.0|Locking 1/)
    const [, untouched] = await server.entries('soft')
    server.takeRequests()
    assertRun(await home.cargo(yank('1.1.0')), 0, 'Yank soft@1.1.0')
    assert.deepEqual(server.takeRequests(), [
      { method: 'GET', path: '/config.json', status: 200 },
      { method: 'DELETE', path: '/api/v1/crates/soft/1.1.0/yank', status: 200, user: 'ann' },
    ])
    assert.deepEqual((await server.entries('soft'))[1], { ...untouched, yanked: true })
    const after = await project({ manifest: APP })
    assertRun(await home.cargo(['fetch'], { cwd: after }), 0, 'Downloaded soft v1.0.0')
    assertRun(await home.cargo(['update', 'soft', '--precise', '1.1.0'], { cwd: after }), 0, 'yanked')
    assertRun(await home.cargo(yank('1.1.0', '--undo')), 0, 'Unyank soft@1.1.0')
    assert.deepEqual((await server.entries('soft'))[1], untouched)
    const undone = await project({ manifest: APP })
    assertRun(await home.cargo(['fetch'], { cwd: undone }), 0, 'Downloaded soft v1.1.0')
  })

  test('leaves lock files working in a cold home', async (t) => {
    const { server, home, project, freshHome } = await bench(t, { transport })
    await server.seed(crateFile('soft'))
    const cwd = await project({ manifest: APP })
    assertRun(await home.cargo(['generate-lockfile'], { cwd }), 0)
    assertRun(await home.cargo(yank('1.0.0')), 0)
    assertRun(await (await freshHome()).cargo(['check', '--locked'], { cwd }), 0, 'Checking soft v1.0.0')
    const fresh = await home.cargo(['fetch'], { cwd: await project({ manifest: APP }) })
    assertRun(fresh, 101, /version 1\.0\.0 is yanked/)
  })

  test('takes versions with build metadata', async (t) => {
    const { server, home } = await bench(t, { transport })
    await server.seed(crateFile('soft', '1.0.0+build.7'))
    assertRun(await home.cargo(yank('1.0.0+build.7')), 0, 'Yank soft@1.0.0+build.7')
    assert.equal((await server.entries('soft'))[0]?.yanked, true)
    const path = '/api/v1/crates/soft/1.0.0+build.7/yank'
    assert.ok(server.takeRequests().some((request) => request.path === path && request.status === 200))
    assertRun(await home.cargo(yank('1.0.0+build.7', '--undo')), 0)
    assert.equal((await server.entries('soft'))[0]?.yanked, false)
  })

  test('says what is not there, and who may not', async (t) => {
    const { server, home, freshHome } = await bench(t, { transport })
    assertRun(await home.cargo(yank('1.0.0')), 101, 'status 404 Not Found', '`soft`')
    await server.seed(crateFile('soft'))
    assertRun(await home.cargo(yank('9.9.9')), 101, 'status 404 Not Found', '9.9.9')
    const bob = await freshHome({ tokens: { ours: 'bob-token' } })
    assertRun(await bob.cargo(yank('1.0.0')), 101, 'status 403 Forbidden', '`soft`')
    assert.equal((await server.entries('soft'))[0]?.yanked, false)
  })
})
