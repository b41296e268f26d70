import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import http2 from 'node:http2'
import { type AddressInfo, createServer, type Socket, type Server as TcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { Agent, type Dispatcher, ProxyAgent, request } from 'undici'
import { CargoError } from '../../src/errors.ts'
import { type Fault, isBrokenConnection, toUplinkError, UplinkError } from '../../src/uplinks/uplink-error.ts'
import { type Certificate, makeCertificate } from '../support/certificate.ts'

let folder = ''
let certificate: Certificate

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uplink-error-'))
  certificate = await makeCertificate(folder)
})
test.after(() => rm(folder, { recursive: true }))

/** Listens on a free port, and drops its connections after the test. */
async function start(t: TestContext, server: TcpServer, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  server.listen(0, host)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A server that does something as soon as it is asked. */
const startRaw = (t: TestContext, onAsked: (socket: Socket) => void) =>
  start(
    t,
    createServer((socket) => {
      socket.once('data', () => onAsked(socket))
    }),
  )

/** Sends `text`, and then does something once it is on its way. */
const startSending = (t: TestContext, text: string, then: (socket: Socket) => void = () => undefined) =>
  startRaw(t, (socket) => socket.write(text, () => then(socket)))

function startDispatcher(t: TestContext, options: Agent.Options = {}): Dispatcher {
  const dispatcher = new Agent(options)
  t.after(() => dispatcher.destroy())
  return dispatcher
}

interface Failure {
  /** Whether the answer had begun. */
  readonly body: boolean
  readonly error: unknown
}

interface Ending {
  readonly signal?: AbortSignal
  /** Called once the answer has begun. */
  readonly onBody?: () => void
}

async function failureOf(
  url: string,
  dispatcher: Dispatcher,
  { signal, onBody }: Ending = {},
): Promise<Failure> {
  let body = false
  try {
    const answer = await request(url, { dispatcher, signal: signal ?? null })
    body = true
    onBody?.()
    await answer.body.text()
  } catch (error) {
    return { body, error }
  }
  assert.fail('it answered')
}

/** Asserts what an operator reads. */
function assertReads(
  { body, error }: Failure,
  expected: readonly [Fault, string | RegExp, broken?: boolean],
) {
  const [fault, phrase, broken = false] = expected
  const result = toUplinkError('up', error, body ? 'cut' : undefined)
  const what = result.message.replace(/^uplink `up` /, '')
  if (typeof phrase === 'string') assert.equal(what, phrase)
  else assert.match(what, phrase)
  assert.deepEqual([result.fault, result.code, result.retryAfter], [fault, 'unavailable', 2])
  assert.equal(result.cause, error)
  assert.equal(isBrokenConnection(error), broken, String(error))
}

test('toUplinkError() tells what is wrong when there is no connection', async (t) => {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo
  free.close()
  const cases = [
    [`http://127.0.0.1:${port}/`, 'refuses connections'],
    [`http://localhost:${port}/`, 'refuses connections'],
    ['http://registry.invalid/', 'cannot be found by its name'],
  ] as const
  for (const [url, phrase] of cases) assertReads(await failureOf(url, startDispatcher(t)), ['away', phrase])
})

test('toUplinkError() tells what is wrong when the uplink is silent', async (t) => {
  const silent = await start(t, createServer())
  const stops = await startSending(t, 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc')
  const dispatcher = startDispatcher(t, { headersTimeout: 100, connect: { timeout: 100 } })
  const given = new AbortController()
  const giveUp = () => given.abort(new DOMException('late', 'TimeoutError'))
  const failures = await Promise.all([
    failureOf(`http://127.0.0.1:${silent}/`, dispatcher),
    failureOf(`https://127.0.0.1:${silent}/`, dispatcher),
    failureOf(`http://127.0.0.1:${stops}/`, startDispatcher(t, { bodyTimeout: 100 })),
    failureOf(`http://127.0.0.1:${silent}/`, startDispatcher(t), { signal: AbortSignal.timeout(50) }),
    failureOf(`http://127.0.0.1:${stops}/`, startDispatcher(t), { signal: given.signal, onBody: giveUp }),
  ])
  const late = 'does not answer in time'
  const expected = [
    ['away', late],
    ['away', late],
    ['cut', 'stopped sending'],
    ['away', late],
    ['cut', late],
  ] as const
  for (const [i, failure] of failures.entries()) assertReads(failure, expected[i] ?? assert.fail())
})

test('toUplinkError() tells what is wrong when the certificate is', async (t) => {
  const { key, cert } = certificate
  const port = await start(t, http2.createSecureServer({ key, cert, allowHTTP1: true }), '127.0.0.2')
  const plain = await startSending(t, 'HTTP/1.1 400 Bad Request\r\n\r\n')
  const trusting = startDispatcher(t, { connect: { ca: cert } })
  const cases = [
    [
      `127.0.0.2:${port}`,
      startDispatcher(t),
      'has a certificate that is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)',
    ],
    [`127.0.0.2:${port}`, trusting, 'has a certificate for another name'],
    [`127.0.0.1:${plain}`, trusting, /^fails the TLS handshake \(ERR_SSL_[A-Z_]+\)$/],
  ] as const
  for (const [to, dispatcher, phrase] of cases)
    assertReads(await failureOf(`https://${to}/`, dispatcher), ['away', phrase])
})

test('toUplinkError() tells what is wrong when the connection breaks', async (t) => {
  const reset = (socket: Socket) => socket.resetAndDestroy()
  const end = (socket: Socket) => socket.end()
  const short = 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc'
  const chunk = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n'
  const breaks = /^breaks the connection \((UND_ERR_SOCKET|ECONNRESET)\)$/
  const cases = [
    [await startRaw(t, reset), 'away', breaks],
    [await startRaw(t, end), 'away', breaks],
    [await startSending(t, short, reset), 'cut', breaks],
    [await startSending(t, short, end), 'cut', breaks],
    [await startSending(t, chunk, end), 'cut', breaks],
  ] as const
  for (const [port, fault, phrase] of cases)
    assertReads(await failureOf(`http://127.0.0.1:${port}/`, startDispatcher(t)), [fault, phrase, true])
  assertReads(await failureOf(`https://127.0.0.1:${cases[0][0]}/`, startDispatcher(t)), [
    'away',
    breaks,
    true,
  ])
})

test('toUplinkError() tells what is wrong when the answer is no HTTP', async (t) => {
  const many = `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(10_000)}\r\n`
  const cases = [
    [
      await startSending(t, 'SSH-2.0-OpenSSH_9.6\r\n'),
      /^does not speak HTTP \((HPE_[A-Z_]+|HTTPParserError)\)$/,
    ],
    [await startSending(t, many), 'sends too many headers'],
  ] as const
  for (const [port, phrase] of cases)
    assertReads(await failureOf(`http://127.0.0.1:${port}/`, startDispatcher(t)), ['away', phrase])
})

test('toUplinkError() tells what is wrong when an HTTP/2 stream or session ends', async (t) => {
  const { key, cert } = certificate
  const server = http2.createSecureServer({ key, cert })
  server.on('sessionError', () => undefined)
  server.on('stream', (stream, { ':path': path = '' }) => {
    stream.on('error', () => undefined)
    // `close()` would end the body well before it resets the stream.
    const end = () =>
      path.startsWith('/reset') ? stream.destroy(new Error('reset')) : stream.session?.destroy()
    if (!path.endsWith('body')) return end()
    stream.respond({ ':status': 200 })
    stream.write('abc', end)
  })
  const at = `https://127.0.0.1:${await start(t, server)}`
  const dispatcher = startDispatcher(t, { connect: { ca: cert } })
  const breaks = /^breaks the connection \((UND_ERR_|ERR_HTTP2_|ECONNRESET)[A-Z_]*\)$/
  for (const path of ['/reset', '/leave', '/reset-body', '/leave-body']) {
    const fault = path.endsWith('body') ? 'cut' : 'away'
    assertReads(await failureOf(at + path, dispatcher), [fault, breaks, true])
  }
})

test('toUplinkError() tells what is wrong when the proxy refuses', async (t) => {
  const port = await startSending(t, 'HTTP/1.1 407 Login\r\ncontent-length: 0\r\n\r\n')
  const rude = await startRaw(t, (socket) => socket.destroy())
  const cases = [
    [port, 'http', 'cannot be asked: a header is malformed, or its proxy wants a login'],
    [port, 'https', 'was given up, or its proxy refuses the connection'],
    [rude, 'https', 'cannot be reached: its proxy breaks the connection'],
  ] as const
  for (const [at, protocol, phrase] of cases) {
    const dispatcher = new ProxyAgent(`http://127.0.0.1:${at}`)
    t.after(() => dispatcher.destroy())
    assertReads(await failureOf(`${protocol}://registry.invalid/`, dispatcher), ['away', phrase])
  }
})

test('toUplinkError() tells what is wrong when we ended it', async (t) => {
  const silent = await start(t, createServer())
  const url = `http://127.0.0.1:${silent}/`
  const [left, stopped] = [new AbortController(), startDispatcher(t)]
  const asked = [failureOf(url, startDispatcher(t), { signal: left.signal }), failureOf(url, stopped)]
  left.abort()
  await stopped.destroy()
  const phrases = [
    'was given up, or its proxy refuses the connection',
    'is not asked any more: the registry stops',
  ]
  for (const [i, failure] of (await Promise.all(asked)).entries())
    assertReads(failure, ['away', phrases[i] ?? assert.fail()])
})

test('toUplinkError() returns the error itself when it is one of ours', () => {
  const error = new UplinkError('up', 'foreign', 'is strange')
  assert.equal(toUplinkError('other', error, 'cut'), error)
  assert.equal(isBrokenConnection(error), false)
})

test('toUplinkError() keeps the cause when it has no code', () => {
  const cases = [
    [new TypeError('odd'), 'breaks the connection (TypeError)'],
    ['odd', 'breaks the connection'],
    [undefined, 'breaks the connection'],
  ] as const
  for (const [cause, what] of cases) {
    const error = toUplinkError('up', cause)
    assert.deepEqual([error.message, error.cause], [`uplink \`up\` ${what}`, cause])
  }
})

test('UplinkError() is answered with 429 when the uplink limits us, else with 503', () => {
  const faults = ['away', 'cut', 'foreign', 'refused'] as const
  for (const fault of faults) {
    const error = new UplinkError('up', fault, 'is strange')
    assert.ok(error instanceof CargoError)
    assert.deepEqual([error.status, error.fault, error.message], [503, fault, 'uplink `up` is strange'])
  }
  const limited = new UplinkError('up', 'limited', 'has limited us', { retryAfter: 7 })
  assert.deepEqual([limited.status, limited.retryAfter, limited.name], [429, 7, 'UplinkError'])
})
