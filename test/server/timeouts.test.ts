import assert from 'node:assert/strict'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect as connectTcp, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { largeCrate } from '../http/proxied.ts'
import { publishBody } from '../support/crate-file.ts'
import { startServer, type TestServer, TRANSPORTS, type Transport } from '../support/server.ts'

const SETTINGS = { client_header_timeout: '400ms', keepalive_timeout: '300ms', send_timeout: '700ms' }
const OPTIONS = { client_body_timeout: '300ms' }
/** A machine under load is late, but nothing here takes so long by itself. */
const PATIENCE_MS = 15_000
const BODY = publishBody(largeCrate('foo', '1.0.0', 700 * 1024))

const start = (t: TestContext, transport: Transport) =>
  startServer(t, { transport, settings: SETTINGS, options: OPTIONS })

function open(t: TestContext, server: TestServer, transport: Transport): Promise<Socket> {
  const port = Number(new URL(server.url).port)
  return new Promise((resolve) => {
    const ready = () => resolve(socket)
    const socket =
      transport !== 'https'
        ? connectTcp(port, '127.0.0.1', ready)
        : connectTls(
            { port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] },
            ready,
          )
    socket.on('error', () => {})
    t.after(() => void socket.destroy())
  })
}

/** What came until the other side closed. */
async function untilClosed(socket: Socket): Promise<string> {
  let all = ''
  socket.on('data', (chunk) => {
    all += chunk
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const late = sleep(PATIENCE_MS, 'late', { ref: false })
  assert.equal(await Promise.race([closed, late]), undefined, 'the connection stays open')
  return all
}

/** Writes again and again until the connection is closed. */
function drip(socket: Socket, text: string): void {
  const timer = setInterval(() => void (socket.destroyed || socket.write(text)), 100)
  socket.once('close', () => clearInterval(timer))
}

for (const transport of TRANSPORTS) {
  test(`a head that does not come ends the connection over ${transport}`, async (t) => {
    const server = await start(t, transport)
    const silent = await open(t, server, transport)
    assert.match(await untilClosed(silent), /^HTTP\/1\.1 408 /)
    const slow = await open(t, server, transport)
    slow.write('GET /cargo/config.json HTTP/1.1\r\n')
    drip(slow, 'X: y\r\n')
    assert.match(await untilClosed(slow), /^HTTP\/1\.1 408 /)
  })

  test(`a connection without a next request is closed over ${transport}`, async (t) => {
    const socket = await open(t, await start(t, transport), transport)
    socket.write('GET /cargo/config.json HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.match(await untilClosed(socket), /^HTTP\/1\.1 200 OK\r\n/)
  })

  test(`a body that stops is refused over ${transport}`, async (t) => {
    const socket = await open(t, await start(t, transport), transport)
    const head = ['PUT /cargo/api/v1/crates/new HTTP/1.1', 'Host: x', 'Authorization: ann-token']
    socket.write(`${head.join('\r\n')}\r\nContent-Length: ${BODY.length}\r\n\r\n`)
    socket.write(BODY.subarray(0, 1000))
    assert.match(await untilClosed(socket), /^HTTP\/1\.1 408 [\s\S]*came too slowly/)
  })

  test(`who never reads is cut off over ${transport}`, async (t) => {
    const server = await start(t, transport)
    await server.seed(largeCrate('foo', '1.0.0', 9 * 1024 * 1024))
    const socket = await open(t, server, transport)
    socket.write('GET /cargo/api/v1/crates/foo/1.0.0/download HTTP/1.1\r\nHost: x\r\n\r\n')
    await logged(server, '"aborted":true')
    assert.equal((await server.send('/config.json')).status, 200)
  })
}

test('a TLS handshake that does not come ends the connection', async (t) => {
  const server = await start(t, 'https')
  const socket = connectTcp(Number(new URL(server.url).port), '127.0.0.1')
  socket.on('error', () => {})
  assert.equal(await untilClosed(socket), '')
})

function session(t: TestContext, server: TestServer): ClientHttp2Session {
  const client = connectHttp2(new URL(server.url).origin, { rejectUnauthorized: false })
  client.on('error', () => {})
  t.after(() => void client.destroy())
  return client
}

function closing(emitter: { once(event: 'close', done: () => void): unknown }): Promise<void> {
  const closed = new Promise<void>((resolve) => emitter.once('close', () => resolve()))
  const late = sleep(PATIENCE_MS, undefined, { ref: false }).then(() => assert.fail('it stays open'))
  return Promise.race([closed, late])
}

test('an HTTP/2 session on which nothing moves is closed', async (t) => {
  const server = await start(t, 'https')
  await closing(session(t, server))
})

test('an HTTP/2 stream whose body stops or drips is refused, and its session goes on', async (t) => {
  const server = await start(t, 'https')
  const client = session(t, server)
  const others = setInterval(() => {
    if (!client.closed)
      client
        .request({ ':path': '/cargo/config.json' })
        .on('error', () => {})
        .resume()
  }, 100)
  t.after(() => clearInterval(others))
  for (const interval of [0, 100]) {
    const stream = client.request({
      ':path': '/cargo/api/v1/crates/new',
      ':method': 'PUT',
      authorization: 'ann-token',
      'content-length': BODY.length,
    })
    stream.on('error', () => {})
    const status = new Promise((resolve) => stream.once('response', (it) => resolve(it[':status'])))
    stream.write(BODY.subarray(0, 100))
    const timer = setInterval(() => void (interval > 0 && stream.writable && stream.write('x')), 100)
    stream.resume()
    await closing(stream).finally(() => clearInterval(timer))
    assert.equal(await status, 408)
    assert.equal(client.destroyed, false)
  }
})

test('an HTTP/2 stream that is never read is ended, and its session goes on', async (t) => {
  const server = await start(t, 'https')
  await server.seed(largeCrate('foo', '1.0.0', 9 * 1024 * 1024))
  const client = session(t, server)
  const others = setInterval(() => {
    if (!client.closed)
      client
        .request({ ':path': '/cargo/config.json' })
        .on('error', () => {})
        .resume()
  }, 100)
  t.after(() => clearInterval(others))
  const stream = client.request({ ':path': '/cargo/api/v1/crates/foo/1.0.0/download' })
  stream.on('error', () => {})
  stream.pause()
  await closing(stream)
  assert.equal(client.destroyed, false)
})

async function logged(server: TestServer, text: string): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  while (!server.log.some((line) => line.includes(text))) {
    assert.ok(performance.now() < until, `${text} is not in the log`)
    await sleep(20)
  }
}
