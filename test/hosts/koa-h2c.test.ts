import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { passH2c } from '../../src/hosts/koa.ts'

const WAYS: readonly (readonly [string, (server: Server) => void])[] = [
  ['by Node', passH2c],
  // Hides what older versions of Node do not have.
  ['by replay', (server) => passH2c(new Proxy(server, { has: () => false }))],
]

/** What cargo sends over plain http. */
const OFFER = {
  connection: 'Upgrade, HTTP2-Settings',
  upgrade: 'h2c',
  'http2-settings': 'AAMAAABkAAQAAQAAAAIAAAAA',
}

/** A server that echoes, and has a listener that takes web sockets and drops every other upgrade. */
async function start(t: TestContext, pass: (server: Server) => void) {
  const server = createServer(async (incoming, response) => {
    response.end(`${incoming.method} ${incoming.url} ${incoming.headers['x-a']} ${await text(incoming)}`)
  })
  server.on('upgrade', (incoming: IncomingMessage, socket: Socket) => {
    if (incoming.headers.upgrade === 'websocket')
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    else socket.destroy()
  })
  pass(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => {
    agent.destroy()
    server.close()
  })
  async function send(path: string, headers: Readonly<Record<string, string>>, body = '') {
    const options = { port, path, method: body === '' ? 'GET' : 'PUT', headers, agent }
    const client = request(options)
    client.end(body)
    const [response] = (await once(client, 'response')) as [IncomingMessage]
    return { text: await text(response), port: client.socket?.localPort }
  }
  return { port, send }
}

for (const [way, pass] of WAYS) {
  test(`passH2c() serves cargo's requests beside a listener for web sockets, ${way}`, async (t) => {
    const { port, send } = await start(t, pass)
    const first = await send('/a?b=c', { ...OFFER, 'x-a': 'caf\u00e9' })
    assert.equal(first.text, 'GET /a?b=c caf\u00e9 ')
    assert.equal(
      (await send('/put', { ...OFFER, 'x-a': '1', 'content-length': '4' }, 'body')).text,
      'PUT /put 1 body',
    )
    const last = await send('/z', { 'x-a': '2' })
    assert.deepEqual(last, { text: 'GET /z 2 ', port: first.port }, 'the connection stays open')
    const socket = request({ port, headers: { connection: 'Upgrade', upgrade: 'websocket' } }).end()
    const [{ statusCode }] = await once(socket, 'upgrade')
    assert.equal(statusCode, 101)
  })
}
