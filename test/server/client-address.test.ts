import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { createClientAddress, type TrustedProxies } from '../../src/server/client-address.ts'
import { parseConfig } from '../../src/server/config.ts'
import { startServer, type Transport } from '../support/server.ts'
import { until } from '../support/until.ts'

/** Who is trusted, the peer, its `X-Forwarded-For`, and who the client is. */
const CASES: readonly (readonly [TrustedProxies, string, string, string])[] = [
  [[], '10.0.0.1', '192.0.2.1', '10.0.0.1'],
  [['10.0.0.1'], '10.0.0.1', '192.0.2.1', '192.0.2.1'],
  [['10.0.0.1'], '::ffff:10.0.0.1', '192.0.2.1', '192.0.2.1'],
  [['10.0.0.1'], '10.0.0.2', '192.0.2.1', '10.0.0.2'],
  [['10.0.0.0/8'], '10.0.0.1', '198.51.100.1, 192.0.2.1, 10.9.9.9', '192.0.2.1'],
  [['10.0.0.0/8'], '10.0.0.1', '10.1.1.1,10.2.2.2', '10.1.1.1'],
  [['10.0.0.0/8'], '10.0.0.1', '', '10.0.0.1'],
  [['10.0.0.0/8'], '10.0.0.1', '192.0.2.1, no address', '10.0.0.1'],
  [['10.0.0.0/8'], '10.0.0.1', '192.0.2.1:4711', '192.0.2.1'],
  [['fd00::/8', '10.0.0.1'], '10.0.0.1', '2001:db8::1, [fd00::2]:80', '2001:db8::1'],
  [1, '10.0.0.1', '198.51.100.1, 192.0.2.1', '192.0.2.1'],
  [2, '10.0.0.1', '198.51.100.1, 192.0.2.1', '198.51.100.1'],
  [3, '10.0.0.1', '192.0.2.1', '192.0.2.1'],
  [0, '10.0.0.1', '192.0.2.1', '10.0.0.1'],
]

test('createClientAddress() finds the last address that is none of our proxies', async () => {
  for (const [trusted, peer, forwarded, client] of CASES) {
    const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: peer })
    const address = createClientAddress(trusted)({ socket, headers: { 'x-forwarded-for': forwarded } })
    assert.equal(address, client, JSON.stringify([trusted, peer, forwarded]))
  }
})

test('`trust_proxy` takes addresses, networks or a number', () => {
  const read = (trust_proxy: unknown) => parseConfig({ trust_proxy }).trust_proxy
  assert.equal(read(2), 2)
  assert.deepEqual(read('127.0.0.1 ::1'), ['127.0.0.1', '::1'])
  assert.deepEqual(read(['10.0.0.0/8', 'fd00::/8']), ['10.0.0.0/8', 'fd00::/8'])
  for (const wrong of [-1, true, 'proxy.example', '10.0.0.0/33', '10.0.0.0/8/8']) {
    assert.throws(() => read(wrong), /`trust_proxy`/, String(wrong))
  }
})

test('behind a trusted proxy clients are told apart, elsewhere they cannot pretend', async (t) => {
  const options = { rate_limits: { yank: '1/h' } }
  const yank = { method: 'DELETE', headers: { 'x-forwarded-for': '192.0.2.1' } }
  const other = { method: 'DELETE', headers: { 'x-forwarded-for': '192.0.2.2' } }
  const path = '/api/v1/crates/foo/1.0.0/yank'
  for (const [trust_proxy, last] of [
    [['127.0.0.1'], 401],
    [[], 429],
  ] as const) {
    const server = await startServer(t, { settings: { trust_proxy }, options })
    assert.equal((await server.send(path, yank)).status, 401)
    assert.equal((await server.send(path, yank)).status, 429)
    assert.equal((await server.send(path, other)).status, last)
  }
})

/** How clients come, who is trusted, and who the client is; behind a proxy there is no upgrade to HTTP/2. */
const LOGGED: readonly (readonly [Transport, readonly string[], string])[] = [
  ['http', ['127.0.0.1'], '192.0.2.1'],
  ['http', [], '127.0.0.1'],
  ['https', ['127.0.0.1'], '192.0.2.1'],
  ['https', [], '127.0.0.1'],
  ['h2c', [], '127.0.0.1'],
]

for (const [transport, trust_proxy, client] of LOGGED) {
  test(`over ${transport} the log tells who sent a request, with ${trust_proxy.length} trusted proxies`, async (t) => {
    const server = await startServer(t, { transport, settings: { trust_proxy }, options: { uplinks: {} } })
    const headers = { 'x-forwarded-for': '198.51.100.7, 192.0.2.1' }
    // The configuration goes past Koa, the other one does not.
    for (const path of ['/config.json', '/me', '/config.json']) {
      const before = server.log.length
      await server.send(path, { headers })
      await until(() => server.log.length > before, true)
      const line: unknown = JSON.parse(server.log[before] ?? '')
      assert.partialDeepStrictEqual(line, { path: `/cargo${path}`, client })
    }
  })
}
