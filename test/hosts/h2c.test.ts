import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ClientHttp2Stream, Http2Server } from 'node:http2'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { answerH2c, type H2cOptions } from '../../src/hosts/h2c.ts'
import { type H2cRequest, NotUpgradedError, renderOffer, upgradeH2c } from '../support/h2c-client.ts'

interface Started {
  readonly port: number
  readonly server: Server
  readonly http2: Http2Server
}

interface StartSpec extends H2cOptions {
  /** Hides what older versions of Node do not have. */
  readonly old?: boolean
  before?(server: Server): void
}

type Request = Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'httpVersion'> & AsyncIterable<Buffer>

/** Tells what it was asked, later when that is `/slow`. */
async function listener(incoming: Request, response: Pick<ServerResponse, 'end'>): Promise<void> {
  const { method, url, headers, httpVersion } = incoming
  const body = await text(incoming)
  if (url === '/slow') await sleep(150)
  const host = headers.host ?? headers[':authority']
  response.end(`${httpVersion} ${method} ${url} ${host} ${headers['x-a']} ${headers.authorization} ${body}`)
}

async function start(t: TestContext, { old = false, before, ...options }: StartSpec = {}): Promise<Started> {
  const server = createServer(listener)
  before?.(server)
  const seen = old ? new Proxy(server, { has: () => false }) : server
  const http2 = answerH2c(seen, listener as never, options)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { server, http2, port: (server.address() as AddressInfo).port }
}

/** The body of an answer over HTTP/2 to a request that asks for an upgrade. */
async function ask(port: number, asked: H2cRequest): Promise<string> {
  const { session, first } = await upgradeH2c(port, asked)
  const body = await text(first)
  session.close()
  return body
}

/** Everything that comes over a connection for these bytes, until it is closed or nothing more comes. */
async function raw(port: number, ...pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  const closed = once(socket, 'close')
  let got = ''
  socket.on('data', (chunk) => {
    got += chunk.toString('latin1')
  })
  for (const piece of pieces) {
    socket.write(piece)
    await sleep(20)
  }
  const quiet = async () => {
    for (let before = -1; got === '' || got.length > before; await sleep(100)) before = got.length
  }
  await Promise.race([closed, quiet()])
  socket.destroy()
  return got
}

for (const old of [false, true]) {
  const node = old ? 'an older Node' : 'this Node'
  test(`answerH2c() answers the request of the upgrade and those after it over HTTP/2, with ${node}`, async (t) => {
    const { port } = await start(t, { old })
    const { session, first } = await upgradeH2c(port, {
      path: '/a?b=c',
      headers: { 'x-a': 'caf\u00e9', authorization: 'secret' },
    })
    const asked = [1, 2, 3].map((n) => session.request({ ':path': `/next/${n}` }))
    const put = session.request({ ':path': '/put', ':method': 'PUT' })
    put.end('body')
    const answers = [first, ...asked, put].map((stream: ClientHttp2Stream) => text(stream))
    const host = `127.0.0.1:${port}`
    assert.deepEqual(await Promise.all(answers), [
      `2.0 GET /a?b=c ${host} caf\u00e9 secret `,
      ...[1, 2, 3].map((n) => `2.0 GET /next/${n} ${host} undefined undefined `),
      `2.0 PUT /put ${host} undefined undefined body`,
    ])
    session.close()
  })

  test(`answerH2c() leaves other upgrades to their listeners, or serves them without, with ${node}`, async (t) => {
    const alone = await start(t, { old })
    const websocket = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
    assert.match(
      await raw(alone.port, `GET /a HTTP/1.1\r\n${websocket}`),
      /^HTTP\/1\.1 200 .*1\.1 GET \/a x/s,
    )
    const taken = (incoming: IncomingMessage, socket: Socket) => socket.end(`taken ${incoming.url}`)
    const shared = await start(t, { old, before: (server) => void server.on('upgrade', taken) })
    assert.equal(await raw(shared.port, `GET /b HTTP/1.1\r\n${websocket}`), 'taken /b')
    assert.match(await ask(shared.port, { path: '/c' }), /^2\.0 GET \/c /)
  })
}

const HOST = { host: 'a.example' }
const STAYS: readonly (readonly [string, H2cRequest])[] = [
  ['a body', { path: '/', method: 'PUT', headers: { 'content-length': '0' } }],
  ['a body of a GET', { path: '/', headers: { 'content-length': '0' } }],
  ['chunks', { path: '/', headers: { 'transfer-encoding': 'chunked' } }],
  ['another method', { path: '/', method: 'DELETE' }],
  ['a proxy: Via', { path: '/', headers: { via: '1.1 proxy' } }],
  ['a proxy: Forwarded', { path: '/', headers: { Forwarded: 'for=10.0.0.1' } }],
  ['a proxy: X-Forwarded-For', { path: '/', headers: { 'X-Forwarded-For': '10.0.0.1' } }],
  ['a proxy: X-Forwarded-Proto', { path: '/', headers: { 'x-forwarded-proto': 'http' } }],
  ['a proxy: X-Real-IP', { path: '/', headers: { 'X-Real-IP': '10.0.0.1' } }],
  ['an absolute target', { path: 'http://a.example/x', headers: HOST }],
  ['a strange host', { path: '/', headers: { host: 'a@b' } }],
  ['settings not named', { path: '/', headers: { connection: 'Upgrade' } }],
  ['an upgrade not named', { path: '/', headers: { connection: 'HTTP2-Settings' } }],
  ['settings that are none', { path: '/', headers: { 'http2-settings': '!' } }],
  ['half a setting', { path: '/', headers: { 'http2-settings': 'AAMAAAB' } }],
  ['a window too large', { path: '/', headers: { 'http2-settings': 'AASAAAAA' } }],
  ['frames too small', { path: '/', headers: { 'http2-settings': 'AAUAAAAB' } }],
  ['a push that is neither', { path: '/', headers: { 'http2-settings': 'AAIAAAAC' } }],
  [
    'very many headers',
    { path: '/', headers: Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`a${n}`, ''])) },
  ],
]

for (const [title, asked] of STAYS) {
  test(`answerH2c() goes on over HTTP/1.1: ${title}`, async (t) => {
    const { port } = await start(t)
    const ending = asked.headers?.['transfer-encoding'] === undefined ? '' : '0\r\n\r\n'
    const answer = await raw(port, Buffer.concat([renderOffer(port, asked), Buffer.from(ending)]))
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n1\.1 /)
    assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1)
  })
}

test('answerH2c() lets a request that follows others on their way wait for their answers', async (t) => {
  const { port } = await start(t)
  const slow = `GET /slow HTTP/1.1\r\nHost: x\r\n\r\n`
  const answers = await raw(port, Buffer.concat([Buffer.from(slow), renderOffer(port, { path: '/after' })]))
  assert.match(
    answers,
    /^HTTP\/1\.1 200 [\s\S]*1\.1 GET \/slow x [\s\S]*HTTP\/1\.1 200 [\s\S]*1\.1 GET \/after /,
  )
  await assert.rejects(upgradeH2c(port, { path: '/', headers: { via: 'x' } }), NotUpgradedError)
})

test('answerH2c() takes an opening in pieces of one byte, and long headers', async (t) => {
  const { port } = await start(t)
  const long = 'x'.repeat(12_000)
  assert.match(
    await ask(port, { path: `/${'y'.repeat(3000)}`, headers: { 'x-a': long } }),
    /y x|y 127\.0\.0\.1/,
  )
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.write(renderOffer(port, { path: '/bytes' }))
  await once(socket, 'data')
  const opening = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1')
  let got = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    got = Buffer.concat([got, chunk])
  })
  for (const byte of opening) {
    socket.write(Buffer.of(byte))
    await sleep(1)
  }
  while (!got.includes('2.0 GET /bytes')) await once(socket, 'data')
  socket.destroy()
})

const BAD_OPENINGS: readonly (readonly [string, string])[] = [
  ['not HTTP/2', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['no settings', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x08\x06\0\0\0\0\0abcdefgh'],
  ['settings of a stream', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\x01'],
  ['an acknowledgement', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\x01\0\0\0\0'],
  ['half a setting', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x03\x04\0\0\0\0\0abc'],
  ['too many settings', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x01\0\x02\x04\0\0\0\0\0'],
]

for (const [title, opening] of BAD_OPENINGS) {
  test(`answerH2c() refuses a client that goes on with ${title}`, async (t) => {
    const { port, http2 } = await start(t)
    let sessions = 0
    http2.on('session', () => {
      sessions += 1
    })
    const got = await raw(port, renderOffer(port, { path: '/' }), Buffer.from(opening, 'latin1'))
    const after = got.slice(got.indexOf('\r\n\r\n') + 4)
    assert.equal(after, '\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01')
    assert.equal(sessions, 0)
  })
}

test('answerH2c() applies the settings of the upgrade', async (t) => {
  const { port, http2 } = await start(t)
  const session = once(http2, 'session')
  // Frames of 32,768 bytes, and at most 7 pushed streams.
  const headers = { 'http2-settings': Buffer.from('000500008000000300000007', 'hex').toString('base64url') }
  const client = await upgradeH2c(port, { path: '/', headers })
  const [ours] = await session
  await text(client.first)
  assert.equal(ours.remoteSettings.maxConcurrentStreams, 7)
  assert.equal(client.session.destroyed, false)
  client.session.close()
})

test('answerH2c() waits for an opening only so long', async (t) => {
  const { port } = await start(t, { openingTimeout: 100 })
  const socket = connect(port, '127.0.0.1')
  socket.write(renderOffer(port, { path: '/' }))
  await once(socket, 'data')
  await once(socket.resume(), 'close')
})

test('answerH2c() ends its connections with the server, after the answers that are on their way', async (t) => {
  const { port, server } = await start(t)
  const waiting = connect(port, '127.0.0.1')
  waiting.write(renderOffer(port, { path: '/never' }))
  await once(waiting, 'data')
  const idle = await upgradeH2c(port, { path: '/' })
  await text(idle.first)
  const busy = await upgradeH2c(port, { path: '/slow' })
  await sleep(50)
  const closed = once(server, 'close')
  server.close()
  assert.match(await text(busy.first), /^2\.0 GET \/slow /)
  await closed
})

test('answerH2c() refuses a connection that begins with HTTP/2', async (t) => {
  const { port, http2 } = await start(t)
  http2.on('session', () => assert.fail('a session'))
  const opening = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'
  for (const pieces of [[opening], [opening.slice(0, 18), opening.slice(18)]])
    assert.match(await raw(port, ...pieces), /^(HTTP\/1\.1 400 [^\n]*\r\nConnection: close\r\n\r\n)?$/)
})

test('answerH2c() gives curl all that it asks for over one connection', async (t) => {
  const { port, http2 } = await start(t)
  const streams: (number | undefined)[] = []
  let sessions = 0
  http2.on('session', () => {
    sessions += 1
  })
  http2.on('stream', ({ id }) => streams.push(id))
  const { stdout } = await promisify(execFile)('curl', ['-s', '--http2', `http://127.0.0.1:${port}/[1-9]`])
  assert.deepEqual(
    stdout.match(/2\.0 GET \/\d/g)?.map((it) => Number(it.slice(-1))),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  )
  assert.deepEqual([sessions, streams], [1, [1, 3, 5, 7, 9, 11, 13, 15, 17]])
})
