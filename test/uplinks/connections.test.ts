import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import https from 'node:https'
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { request } from 'undici'
import type { z } from 'zod'
import { uplink } from '../../src/options/uplinks.ts'
import { OptionsError } from '../../src/options.ts'
import { createConnections, isExempt } from '../../src/uplinks/connections.ts'
import { createEgressGuard } from '../../src/uplinks/egress.ts'
import { type Certificate, makeCertificate } from '../support/certificate.ts'
import { eventually } from '../support/until.ts'

type Input = Omit<z.input<typeof uplink>, 'url'>

let folder = ''
let certificate: Certificate

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connections-'))
  certificate = await makeCertificate(folder)
})
test.after(() => rm(folder, { recursive: true }))

/** Listens on a free port, counts connections, and drops them after the test. */
async function start(t: TestContext, server: TcpServer) {
  const sockets = new Set<Socket>()
  const started = { port: 0, connections: 0 }
  server.on('connection', (socket: Socket) => {
    started.connections++
    sockets.add(socket.on('error', () => undefined))
  })
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  started.port = (server.address() as AddressInfo).port
  return started
}

/** Says which protocol it was asked in, when all of a burst are there. */
function startHttp2(t: TestContext, { burst = 1, allowHTTP1 = false } = {}) {
  const waiting: Http2ServerResponse[] = []
  const { key, cert } = certificate
  const answer = ({ httpVersion }: Http2ServerRequest, response: Http2ServerResponse) => {
    waiting.push(response)
    if (waiting.length >= burst) for (const each of waiting.splice(0)) each.end(httpVersion)
  }
  return start(t, http2.createSecureServer({ key, cert, allowHTTP1 }, answer))
}

const sayVersion = ({ httpVersion }: IncomingMessage, response: ServerResponse) => response.end(httpVersion)
const startHttps = (t: TestContext) =>
  start(t, https.createServer({ key: certificate.key, cert: certificate.cert }, sayVersion))

/** A proxy that forwards http, tunnels the rest to this machine, and notes what it was asked. */
async function startProxy(t: TestContext) {
  const seen: string[] = []
  const note = ({ method, url, headers }: IncomingMessage) =>
    seen.push(`${method} ${url} ${headers['proxy-authorization'] ?? '-'}`)
  const server: Server = http.createServer((incoming, response) => {
    note(incoming)
    const { 'proxy-authorization': _, ...headers } = incoming.headers
    http.get(incoming.url ?? '', { headers }, (answer) => answer.pipe(response))
  })
  server.on('connect', (incoming: IncomingMessage, socket: Socket) => {
    note(incoming)
    const target = connect(Number(incoming.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      target.pipe(socket).pipe(target)
    })
    for (const end of [socket, target]) end.on('error', () => undefined)
    socket.on('close', () => target.destroy())
  })
  return Object.assign(await start(t, server), { seen })
}

/** A client of the uplink at `home`. */
function startClient(t: TestContext, home: string, input: Input = {}) {
  const options = uplink.parse({ url: home, ...input })
  const connections = createConnections(options, createEgressGuard('up', new URL(home)))
  t.after(() => connections.close())
  return {
    connections,
    async ask(url = home): Promise<string> {
      const dispatcher = connections.dispatcherFor(new URL(url))
      const { body } = await request(url, { dispatcher, headers: { 'x-own': 'a' } })
      return body.text()
    },
  }
}

const times = <T>(n: number, run: () => Promise<T>) => Promise.all(Array.from({ length: n }, run))

test('createConnections() asks over one HTTP/2 connection when the uplink offers it', async (t) => {
  for (const allowHTTP1 of [false, true]) {
    const server = await startHttp2(t, { burst: 60, allowHTTP1 })
    const { ask } = startClient(t, `https://127.0.0.1:${server.port}/`, { ca: certificate.certFile })
    assert.deepEqual(await times(60, () => ask()), Array(60).fill('2.0'))
    assert.deepEqual(await times(60, () => ask()), Array(60).fill('2.0'))
    assert.equal(server.connections, 1)
  }
})

test('createConnections() keeps a connection that nobody uses for a while', async (t) => {
  const patient = Object.assign(http.createServer(sayVersion), { keepAliveTimeout: 60_000 })
  const servers = [await start(t, patient), await startHttp2(t)]
  const clients = servers.map(({ port }, nth) => {
    const input = nth === 0 ? {} : { ca: certificate.certFile }
    return startClient(t, `${nth === 0 ? 'http' : 'https'}://127.0.0.1:${port}/`, input)
  })
  const ask = () => Promise.all(clients.map((client) => client.ask()))
  await ask()
  // By itself undici ends it after four seconds.
  await sleep(6_000)
  assert.deepEqual(await ask(), ['1.1', '2.0'])
  assert.deepEqual(
    servers.map(({ connections }) => connections),
    [1, 1],
  )
})

test('createConnections() lets an uplink over HTTP/2 send 4 MiB, and 16 MiB in all, before it has to hear of us', async (t) => {
  const MiB = 1024 * 1024
  const windows: unknown[] = []
  const { key, cert } = certificate
  const server = http2.createSecureServer({ key, cert })
  server.on('stream', (stream) => {
    const { remoteSettings, state } = stream.session ?? {}
    windows.push([remoteSettings?.initialWindowSize, state?.remoteWindowSize])
    stream.respond({})
    stream.end()
  })
  const [{ port }, proxy] = [await start(t, server), await startProxy(t)]
  for (const input of [{}, { https_proxy: `http://127.0.0.1:${proxy.port}` }]) {
    const { ask } = startClient(t, `https://127.0.0.1:${port}/`, { ca: certificate.certFile, ...input })
    await ask()
    await ask()
    assert.deepEqual(windows.at(-1), [4 * MiB, 16 * MiB])
  }
})

test('createConnections() takes in 4 MiB of answers that nobody reads, which keep no other away', async (t) => {
  const [MiB, unread] = [1024 * 1024, 6]
  const written: number[] = []
  const server = http2.createSecureServer({ ...certificate, maxSessionMemory: 1000 })
  server.on('stream', (stream, { ':path': path }) => {
    stream.on('error', () => undefined)
    stream.respond({})
    if (path !== '/large') return stream.end('small')
    const nth = written.push(0) - 1
    const write = () => {
      do written[nth] = (written[nth] ?? 0) + 65_536
      while (stream.write(Buffer.alloc(65_536)))
    }
    stream.on('drain', write)
    write()
  })
  const { port } = await start(t, server)
  const home = `https://127.0.0.1:${port}/`
  const { connections, ask } = startClient(t, home, { ca: certificate.certFile })
  assert.equal(await ask(), 'small')
  const dispatcher = connections.dispatcherFor(new URL(home))
  const answers = await times(unread, () => request(`${home}large`, { dispatcher }))
  for (const { body } of answers) body.on('error', () => undefined).pause()
  assert.ok(await eventually(() => written.length === unread && written.every((size) => size > 4 * MiB)))
  await sleep(200)
  // What waits at the server is the rest.
  assert.ok(
    written.every((size) => size < 5 * MiB),
    written.join(),
  )
  assert.equal(await ask(), 'small')
})

test('createConnections() asks over few HTTP/1.1 connections when the uplink offers no more', async (t) => {
  for (const protocol of ['http', 'https']) {
    const server = protocol === 'http' ? await start(t, http.createServer(sayVersion)) : await startHttps(t)
    const limits = { agent_options: { maxSockets: 3 }, ca: String(certificate.cert) }
    const { ask } = startClient(t, `${protocol}://127.0.0.1:${server.port}/`, limits)
    assert.deepEqual(await times(20, () => ask()), Array(20).fill('1.1'))
    assert.ok(server.connections <= 3, `${server.connections} connections`)
  }
})

test('createConnections() trusts a certificate when `ca` holds it, `strict_ssl` is off, or the system does', async (t) => {
  const [server, other] = [await startHttps(t), await mkdtemp(join(folder, 'other-'))]
  const { certFile: otherFile } = await makeCertificate(other)
  const home = `https://localhost:${server.port}/`
  assert.equal(await startClient(t, home, { ca: String(certificate.cert) }).ask(), '1.1')
  assert.equal(await startClient(t, home, { ca: certificate.certFile }).ask(), '1.1')
  assert.equal(await startClient(t, home, { strict_ssl: false }).ask(), '1.1')
  const untrusted = { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }
  await assert.rejects(startClient(t, home).ask(), untrusted)
  await assert.rejects(startClient(t, home, { ca: otherFile }).ask(), untrusted)
  const before = getCACertificates('default')
  t.after(() => setDefaultCACertificates(before))
  setDefaultCACertificates([String(certificate.cert)])
  assert.equal(await startClient(t, home, { ca: otherFile }).ask(), '1.1')
})

test('createConnections() throws when `ca` is no certificate', async () => {
  const [empty, missing] = [join(folder, 'empty.pem'), join(folder, 'missing.pem')]
  await writeFile(empty, 'nothing')
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  const notPem = '`uplinks.up.ca`: must be a certificate in PEM, or the file of one'
  const cases = [
    [broken, notPem],
    [empty, notPem],
    [missing, `\`uplinks.up.ca\`: cannot read the file \`${missing}\` (ENOENT)`],
    [folder, `\`uplinks.up.ca\`: cannot read the file \`${folder}\` (EISDIR)`],
  ] as const
  const home = 'https://127.0.0.1/'
  for (const [ca, problem] of cases) {
    const make = () =>
      createConnections(uplink.parse({ url: home, ca }), createEgressGuard('up', new URL(home)))
    assert.throws(make, new OptionsError([problem]))
  }
})

test('createConnections() refuses a private address when the uplink is elsewhere', async (t) => {
  const server = await start(t, http.createServer(sayVersion))
  const { ask } = startClient(t, 'http://127.0.0.2/')
  await assert.rejects(ask(`http://127.0.0.1:${server.port}/`), { fault: 'refused' })
  await assert.rejects(ask(`http://localhost:${server.port}/`), { fault: 'refused' })
  assert.equal(server.connections, 0)
})

test('createConnections() tunnels HTTP/2 when `https_proxy` is set', async (t) => {
  const [server, proxy] = [await startHttp2(t, { burst: 20, allowHTTP1: true }), await startProxy(t)]
  const { ask } = startClient(t, `https://127.0.0.1:${server.port}/`, {
    ca: certificate.certFile,
    https_proxy: `http://joe:s%40cret@127.0.0.1:${proxy.port}`,
  })
  assert.deepEqual(await times(20, () => ask()), Array(20).fill('2.0'))
  const login = `Basic ${Buffer.from('joe:s@cret').toString('base64')}`
  assert.deepEqual(proxy.seen, [`CONNECT 127.0.0.1:${server.port} ${login}`])
  assert.equal(server.connections, 1)
})

test('createConnections() trusts `ca` and checks the name when it tunnels', async (t) => {
  const [server, proxy] = [await startHttps(t), await startProxy(t)]
  const https_proxy = `http://127.0.0.1:${proxy.port}`
  const ask = (host: string, input: Input) =>
    startClient(t, `https://${host}:${server.port}/`, { https_proxy, ...input }).ask()
  assert.equal(await ask('127.0.0.1', { ca: certificate.certFile }), '1.1')
  assert.equal(await ask('127.0.0.1', { strict_ssl: false }), '1.1')
  await assert.rejects(ask('127.0.0.1', {}), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  const wrongName = { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }
  await assert.rejects(ask('registry.invalid', { ca: certificate.certFile }), wrongName)
  assert.equal(proxy.seen.length, 4)
})

test('createConnections() asks the proxy for the whole URL when `http_proxy` is set', async (t) => {
  const headers: (string | undefined)[] = []
  const server = await start(
    t,
    http.createServer((incoming, response) => {
      headers.push(incoming.headers.host, String(incoming.headers['x-own']))
      response.end('plain')
    }),
  )
  const proxy = await startProxy(t)
  const home = `http://127.0.0.1:${server.port}/a?b=c`
  const { ask } = startClient(t, home, { http_proxy: `http://127.0.0.1:${proxy.port}` })
  assert.equal(await ask(), 'plain')
  assert.deepEqual(proxy.seen, [`GET ${home} -`])
  assert.deepEqual(headers, [`127.0.0.1:${server.port}`, 'a'])
})

test('createConnections() opens few connections to a proxy when many ask at once', async (t) => {
  const [server, proxy] = [await start(t, http.createServer(sayVersion)), await startProxy(t)]
  const { ask } = startClient(t, `http://127.0.0.1:${server.port}/`, {
    http_proxy: `http://127.0.0.1:${proxy.port}`,
    agent_options: { maxSockets: 3 },
  })
  assert.deepEqual(await times(20, () => ask()), Array(20).fill('1.1'))
  assert.equal(proxy.seen.length, 20)
  assert.ok(proxy.connections <= 3, `${proxy.connections} connections`)
})

test('createConnections() goes direct when `no_proxy` names the host, or the proxy is for the other scheme', async (t) => {
  const [server, proxy] = [await start(t, http.createServer(sayVersion)), await startProxy(t)]
  const [home, uri] = [`http://127.0.0.1:${server.port}/`, `http://127.0.0.1:${proxy.port}`]
  assert.equal(await startClient(t, home, { https_proxy: uri }).ask(), '1.1')
  assert.equal(await startClient(t, home, { http_proxy: uri, no_proxy: 'a.example, 127.0.0.1' }).ask(), '1.1')
  assert.deepEqual(proxy.seen, [])
})

test('createConnections() gives up in time when nobody answers', async (t) => {
  const silent = await start(t, createTcpServer())
  const at = `http://127.0.0.1:${silent.port}`
  const late = { code: /^UND_ERR_(CONNECT|HEADERS)_TIMEOUT$/ }
  const rejects = (home: string, input: Input = {}) =>
    assert.rejects(startClient(t, home, { timeout: '200.5ms', ...input }).ask(), late)
  const begin = performance.now()
  await Promise.all([
    rejects(at),
    rejects(`https://127.0.0.1:${silent.port}`),
    rejects('http://127.0.0.2/', { http_proxy: at }),
    rejects('https://127.0.0.2/', { https_proxy: at }),
  ])
  assert.ok(performance.now() - begin < 5000)
})

test('close() ends requests when they are on their way', async (t) => {
  const server = await start(t, http.createServer())
  const { connections, ask } = startClient(t, `http://127.0.0.1:${server.port}/`)
  const asked = assert.rejects(ask(), { code: 'UND_ERR_DESTROYED' })
  await connections.close()
  await asked
  await assert.rejects(ask(), { code: 'UND_ERR_DESTROYED' })
})

test('isExempt() is true when an entry is the host or a domain above it, and the port fits', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['https://example.com/', '*'],
    ['https://example.com/', 'example.com'],
    ['https://example.com/', 'EXAMPLE.com'],
    ['https://example.com/', 'a.example , example.com'],
    ['https://example.com/', 'a.example\texample.com'],
    ['https://example.com/', '.example.com'],
    ['https://example.com/', '*.example.com'],
    ['https://example.com/', 'com'],
    ['https://a.b.example.com/', '.example.com'],
    ['https://a.b.example.com/', 'example.com'],
    ['https://example.com/', 'example.com:443'],
    ['http://example.com/', 'example.com:80'],
    ['http://example.com:8080/', '.example.com:8080'],
    ['https://bücher.example/', 'bücher.example'],
    ['http://127.0.0.1:8080/', '127.0.0.1'],
    ['http://127.0.0.1:8080/', '127.0.0.1:8080'],
    ['http://[::1]:8080/', '::1'],
    ['http://[::1]:8080/', '[::1]'],
    ['http://[::1]:8080/', '[::1]:8080'],
    ['http://[2001:db8::1]/', '2001:DB8:0:0::1'],
  ]
  for (const [url, noProxy] of cases) assert.equal(isExempt(new URL(url), noProxy), true, `${url} ${noProxy}`)
})

test('isExempt() is false when no entry fits', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['https://example.com/', undefined],
    ['https://example.com/', ''],
    ['https://example.com/', ' , '],
    ['https://example.com/', '.'],
    ['https://example.com/', ':443'],
    ['https://example.com/', 'b.example.com'],
    ['https://badexample.com/', 'example.com'],
    ['https://badexample.com/', '.example.com'],
    ['https://example.com/', 'example.com:80'],
    ['https://example.com:8443/', 'example.com:443'],
    ['https://example.com.evil.example/', 'example.com'],
    ['http://[::1]:8080/', '[::1]:80'],
    ['http://[::1]:8080/', '::2'],
    ['http://[::1]:8080/', '[::1'],
    ['http://example.undefined/', '[::1'],
  ]
  for (const [url, noProxy] of cases)
    assert.equal(isExempt(new URL(url), noProxy), false, `${url} ${noProxy}`)
})
