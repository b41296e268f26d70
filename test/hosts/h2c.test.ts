import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { ClientHttp2Stream } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { NotUpgradedError, renderOffer, upgradeH2c } from '../support/h2c-client.ts'
import { ask, raw, start } from './h2c-host.ts'

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
