import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { discard, type Exchange, USER_AGENT } from '../../src/uplinks/exchange.ts'
import { type Certificate, makeCertificate } from '../support/certificate.ts'
import { eventually } from '../support/until.ts'
import { exchangeWith, listen } from './clients.ts'

/** A configured uplink with something to keep. */
const SECRETS = {
  auth: { type: 'bearer', token: 'secret' },
  headers: { 'X-Secret': 'secret', Cookie: 'a=secret' },
} as const

let folder = ''
let certificate: Certificate

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'exchange-'))
  certificate = await makeCertificate(folder)
})
test.after(() => rm(folder, { recursive: true }))

const sayUrl: RequestListener = (request, response) => void response.end(request.url)
const redirectTo =
  (location: string, status = 302): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { location }).end('elsewhere')

/** `/n` leads to `/n-1`, and so on down to `/0`, which answers. */
const countDown: RequestListener = (request, response) => {
  const left = Number(request.url?.slice(1))
  if (left === 0) response.end('there')
  else response.writeHead(302, { location: `/${left - 1}` }).end()
}

async function textOf(exchange: Exchange, url: string, headers: Record<string, string> = {}) {
  return (await exchange.ask(new URL(url), { headers })).body.text()
}

test('USER_AGENT names the version of package.json', async () => {
  const { name, version } = JSON.parse(
    await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'),
  ) as { name: string; version: string }
  assert.ok(USER_AGENT.startsWith(`${name}/${version}`), USER_AGENT)
})

test('ask() sends the User-Agent, what is asked with, and to the uplink itself its own headers', async (t) => {
  const [server, other] = [await listen(t, sayUrl), await listen(t, sayUrl)]
  const exchange = exchangeWith(t, server.origin, SECRETS)
  await textOf(exchange, `${server.origin}/a`, { accept: 'text/plain' })
  await textOf(exchange, `${other.origin}/b`, { accept: 'text/plain' })
  const { host, connection: _, ...own } = server.requests[0]?.headers ?? {}
  assert.deepEqual(own, {
    'user-agent': USER_AGENT,
    accept: 'text/plain',
    authorization: 'Bearer secret',
    'x-secret': 'secret',
    cookie: 'a=secret',
  })
  assert.equal(host, `127.0.0.1:${server.port}`)
  const { host: __, connection: ___, ...others } = other.requests[0]?.headers ?? {}
  assert.deepEqual(others, { 'user-agent': USER_AGENT, accept: 'text/plain' })
})

test('ask() replaces the User-Agent when the uplink is configured with one', async (t) => {
  const server = await listen(t, sayUrl)
  await textOf(exchangeWith(t, server.origin, { headers: { 'USER-AGENT': 'me' } }), server.origin)
  assert.equal(server.requests[0]?.headers['user-agent'], 'me')
})

test('ask() keeps credentials and headers at home when a redirect leads elsewhere, and sends them when it leads back', async (t) => {
  const server = await listen(t, (request, response) =>
    request.url === '/start' ? redirectTo(`${other.origin}/`)(request, response) : void response.end('home'),
  )
  const other = await listen(t, (request, response) => redirectTo(`${server.origin}/back`)(request, response))
  assert.equal(await textOf(exchangeWith(t, server.origin, SECRETS), `${server.origin}/start`), 'home')
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.authorization),
    ['Bearer secret', 'Bearer secret'],
  )
  assert.equal(other.requests.length, 1)
  assert.doesNotMatch(JSON.stringify(other.requests[0]?.rawHeaders), /secret/)
})

test('ask() follows redirects of every kind, absolute or not', async (t) => {
  for (const status of [301, 302, 303, 307, 308]) {
    for (const location of ['/to?a=b', 'to?a=b', '//HOST/to?a=b', 'http://HOST/to?a=b#c']) {
      const server = await listen(t, (request, response) => {
        const to = location.replace('HOST', request.headers.host ?? '')
        const answer = request.url === '/from' ? redirectTo(to, status) : sayUrl
        answer(request, response)
      })
      const text = await textOf(exchangeWith(t, server.origin), `${server.origin}/from`)
      assert.equal(text, '/to?a=b', `${status} ${location}`)
      assert.deepEqual(
        server.requests.map(({ method }) => method),
        ['GET', 'GET'],
      )
    }
  }
})

test('ask() follows three redirects and no more', async (t) => {
  const server = await listen(t, countDown)
  const exchange = exchangeWith(t, server.origin)
  assert.equal(await textOf(exchange, `${server.origin}/3`), 'there')
  assert.equal(server.requests.length, 4)
  await assert.rejects(textOf(exchange, `${server.origin}/4`), {
    fault: 'foreign',
    message: 'uplink `up` redirects more than 3 times',
  })
  assert.equal(server.requests.length, 8)
})

test('ask() returns other answers as they are', async (t) => {
  const cases = [
    [302, {}],
    [304, { location: '/' }],
    [300, { location: '/' }],
    [404, {}],
    [503, { 'retry-after': '7' }],
  ] as const
  for (const [status, headers] of cases) {
    const server = await listen(t, (_, response) => void response.writeHead(status, headers).end())
    const answer = await exchangeWith(t, server.origin).ask(new URL(server.origin), { headers: {} })
    assert.equal(answer.status, status)
    discard(answer)
    assert.equal(server.requests.length, 1)
  }
})

test('ask() refuses, and connects to nobody, when a redirect leads where it must not', async (t) => {
  const inside = await listen(t, sayUrl, { host: '127.0.0.2' })
  const cases = [
    [`http://127.0.0.2:${inside.port}/`, 'refused', 'points to `127.0.0.2`, which is not a public address'],
    [`http://[::ffff:127.0.0.2]:${inside.port}/`, 'refused', /not a public address$/],
    ['http://169.254.169.254/latest', 'refused', /not a public address$/],
    ['http://10.0.0.1/', 'refused', /not a public address$/],
    ['http://[::1]/', 'refused', /not a public address$/],
    [`http://2130706434:${inside.port}/`, 'refused', /not a public address$/],
    [`http://me:you@127.0.0.1:${inside.port}/`, 'refused', /credentials/],
    ['file:///etc/passwd', 'refused', /`file:` address/],
    ['http://', 'foreign', /no URL$/],
  ] as const
  for (const [location, fault, message] of cases) {
    const server = await listen(t, redirectTo(location))
    const exchange = exchangeWith(t, server.origin)
    const text = typeof message === 'string' ? `uplink \`up\` ${message}` : message
    await assert.rejects(textOf(exchange, server.origin), { fault, message: text }, location)
    assert.equal(server.requests.length, 1)
  }
  assert.equal(inside.accepted, 0)
})

test('ask() refuses a way down from https to http, at home and on the way', async (t) => {
  const plain = await listen(t, sayUrl)
  const secure = await listen(t, redirectTo(plain.origin), { certificate })
  const options = { ca: certificate.certFile }
  const atHome = exchangeWith(t, secure.origin, options)
  await assert.rejects(textOf(atHome, secure.origin), { fault: 'refused' })
  await assert.rejects(textOf(atHome, plain.origin), { fault: 'refused' })
  const start = await listen(t, redirectTo(secure.origin))
  await assert.rejects(textOf(exchangeWith(t, start.origin, options), start.origin), {
    fault: 'refused',
    message: 'uplink `up` redirects down to a `http:` address',
  })
  assert.equal(secure.requests.length, 2)
  assert.equal(plain.accepted, 0)
})

test('ask() asks once more when a connection breaks under it, and only once', async (t) => {
  let left = 1
  const server = await listen(t, (request, response) => {
    if (left-- > 0) request.socket.destroy()
    else response.end('there')
  })
  const exchange = exchangeWith(t, server.origin)
  assert.equal(await textOf(exchange, server.origin), 'there')
  assert.equal(server.requests.length, 2)
  left = 10
  await assert.rejects(textOf(exchange, server.origin), { fault: 'away', message: /breaks the connection/ })
  assert.equal(server.requests.length, 4)
})

test('ask() ends when its signal does, before the answer and in the body', async (t) => {
  const server = await listen(t, (request, response) => {
    if (request.url === '/body') response.write('some')
  })
  const exchange = exchangeWith(t, server.origin)
  const silent = exchange.ask(new URL(server.origin), { headers: {}, signal: AbortSignal.timeout(50) })
  await assert.rejects(silent, { fault: 'away', message: 'uplink `up` does not answer in time' })
  const controller = new AbortController()
  const { body } = await exchange.ask(new URL(`${server.origin}/body`), {
    headers: {},
    signal: controller.signal,
  })
  const text = body.text()
  controller.abort()
  await assert.rejects(text, { name: 'AbortError' })
  assert.ok(await eventually(() => server.open === 0))
})

async function askAndDiscard(t: TestContext, listener: RequestListener, times: number) {
  const server = await listen(t, listener)
  const exchange = exchangeWith(t, server.origin)
  for (let i = 0; i < times; i++) {
    const answer = await exchange.ask(new URL(server.origin), { headers: {} })
    discard(answer)
    assert.ok(await eventually(() => answer.body.destroyed))
  }
  return server
}

test('discard() leaves the connection to the next request when the body is short', async (t) => {
  const server = await askAndDiscard(
    t,
    (_, response) => {
      response.writeHead(404).flushHeaders()
      setTimeout(() => response.end('not found'), 5)
    },
    5,
  )
  assert.equal(server.accepted, 1)
})

test('discard() ends the connection when the body is long or does not end', async (t) => {
  const long = await askAndDiscard(t, (_, response) => void response.end(Buffer.alloc(2 ** 20)), 1)
  const endless = await askAndDiscard(t, (_, response) => void response.write('some'), 1)
  assert.ok(await eventually(() => long.open === 0 && endless.open === 0))
})
