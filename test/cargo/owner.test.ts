import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertRun, bench, overEachTransport } from '../support/bench.ts'
import { manifest } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'

const owner = (...args: string[]) => ['owner', ...args, 'shared', '--registry', 'ours']

overEachTransport('cargo owner', (transport) => {
  test('lists, adds and removes', async (t) => {
    const { server, home, project, freshHome } = await bench(t, { transport })
    await server.seed(crateFile('shared'))
    const bob = await freshHome({ tokens: { ours: 'bob-token' } })
    const list = await home.cargo(owner('--list'))
    assertRun(list, 0)
    assert.equal(list.stdout.trim(), 'ann')
    const cwd = await project({ manifest: manifest('shared', '1.1.0') })
    const publish = ['publish', '--registry', 'ours', '--no-verify']
    assertRun(await bob.cargo(publish, { cwd }), 101, 'status 403 Forbidden')
    assertRun(
      await home.cargo(owner('--add', 'bob', '--add', 'cleo')),
      0,
      '`bob`, `cleo` added to the owners',
    )
    assert.deepEqual((await home.cargo(owner('--list'))).stdout.trim().split('\n').sort(), [
      'ann',
      'bob',
      'cleo',
    ])
    assertRun(await bob.cargo(publish, { cwd }), 0, 'Published shared v1.1.0')
    assertRun(await bob.cargo(owner('--remove', 'ann')), 0, 'Owner removing ["ann"] from crate shared')
    assert.deepEqual((await home.cargo(owner('--list'))).stdout.trim().split('\n').sort(), ['bob', 'cleo'])
    assertRun(await home.cargo(owner('--add', 'ann')), 101, 'status 403 Forbidden')
    assert.deepEqual(
      server.takeRequests().flatMap(({ method, status }) => (method === 'DELETE' ? [status] : [])),
      [200],
    )
  })

  test('keeps the last owner, and says which crate is unknown', async (t) => {
    const { server, home } = await bench(t, { transport })
    assertRun(await home.cargo(owner('--list')), 101, 'status 404 Not Found', '`shared`')
    await server.seed(crateFile('shared'))
    assertRun(
      await home.cargo(owner('--remove', 'ann')),
      101,
      'status 400 Bad Request',
      '`shared` must keep at least one owner',
    )
    assert.equal((await home.cargo(owner('--list'))).stdout.trim(), 'ann')
  })

  test('makes a group an owner', async (t) => {
    const { server, home, freshHome } = await bench(t, { transport })
    await server.seed(crateFile('shared'))
    assertRun(await home.cargo(owner('--add', 'group:rust-team')), 0)
    assertRun(await home.cargo(owner('--remove', 'ann')), 0)
    assertRun(
      await home.cargo(['yank', 'shared', '--version', '1.0.0', '--registry', 'ours']),
      0,
      'Yank shared',
    )
    const bob = await freshHome({ tokens: { ours: 'bob-token' } })
    assertRun(await bob.cargo(owner('--add', 'bob')), 101, 'status 403 Forbidden')
  })
})
