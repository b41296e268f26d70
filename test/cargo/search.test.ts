import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertRun, bench, overEachTransport } from '../support/bench.ts'
import { crateFile } from '../support/crate-file.ts'

const search = (...args: string[]) => ['search', ...args, '--registry', 'ours']

overEachTransport('cargo search', (transport) => {
  test('finds by one word, by several, and counts', async (t) => {
    const { server, home } = await bench(t, { transport })
    await server.seed(
      crateFile('postgres-client').package({ description: 'Talks to\nthe sql database' }),
      crateFile('postgres-types', '0.3.0').package({ description: 'Types only' }),
      crateFile('unrelated'),
    )
    const one = await home.cargo(search('postgres'))
    assertRun(one, 0, 'postgres-client = "1.0.0"', 'postgres-types = "0.3.0"', '# Talks to the sql database')
    assert.doesNotMatch(one.stdout, /unrelated/)
    const several = await home.cargo(search('postgres', 'sql'))
    assertRun(several, 0, 'postgres-client')
    assert.doesNotMatch(several.stdout, /postgres-types/)
    const limited = await home.cargo(search('postgres', '--limit', '1'))
    assertRun(limited, 0, '... and 1 crates more')
    assertRun(await home.cargo(search('postgres', '--limit', '0')), 0, '... and 2 crates more')
    assertRun(await home.cargo(search('postgres', '--limit', '100')), 0, 'postgres-types')
    assert.equal((await home.cargo(search('nothing-like-it'))).stdout, '')
    assert.ok(server.takeRequests().every(({ status, user }) => status === 200 && user === undefined))
  })

  test('needs the login that reads need', async (t) => {
    const { server, home, freshHome } = await bench(t, { transport, options: { auth_required: true } })
    await server.seed(crateFile('hidden'))
    const config = { registry: { 'global-credential-providers': ['cargo:token'] } }
    const anonymous = await (await freshHome({ config })).cargo(search('hidden'))
    assertRun(anonymous, 101, 'no token found for `ours`')
    assert.deepEqual(server.takeRequests(), [{ method: 'GET', path: '/config.json', status: 401 }])
    const ann = await freshHome({ config, tokens: { ours: 'ann-token' } })
    assertRun(await ann.cargo(search('hidden')), 0, 'hidden = "1.0.0"')
    assertRun(await home.cargo(search('hidden')), 101, 'credential-provider')
  })
})
