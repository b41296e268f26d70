import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { Agent, request } from 'undici'
import { createEgressGuard, type EgressGuard } from '../../src/uplinks/egress.ts'
import { UplinkError } from '../../src/uplinks/uplink-error.ts'
import { makeCertificate } from '../support/certificate.ts'

/** A server that counts its connections. */
async function startServer(t: TestContext, host: string, answer: RequestListener = (_, to) => to.end('ok')) {
  const server = createServer(answer)
  const opened = { port: 0, connections: 0 }
  server.on('connection', () => opened.connections++)
  server.listen(0, host)
  await once(server, 'listening')
  t.after(() => server.close() && server.closeAllConnections())
  opened.port = (server.address() as AddressInfo).port
  return opened
}

interface ClientOptions {
  /** Whether URLs are checked first, as they should be. */
  readonly checks?: boolean
  readonly ca?: Buffer
}

/** Asks for a URL as an uplink's client does, through the guard. */
function startClient(t: TestContext, guard: EgressGuard, { checks = true, ca }: ClientOptions = {}) {
  const dispatcher = new Agent({ connect: guard.connector({ ...(ca !== undefined && { ca }) }) })
  t.after(() => dispatcher.destroy())
  return async (url: string): Promise<string> => {
    if (checks) guard.check(new URL(url))
    const { body } = await request(url, { dispatcher })
    return body.text()
  }
}

function isRefusal(what: string) {
  return (error: unknown) => {
    assert.ok(error instanceof UplinkError, String(error))
    assert.deepEqual(
      [error.fault, error.status, error.message],
      ['refused', 503, `uplink \`up\` points to ${what}`],
    )
    return true
  }
}

const isPrivate = (host: string) => isRefusal(`\`${host}\`, which is not a public address`)
const guardOf = (home: string) => createEgressGuard('up', new URL(home))

test('check() takes every public URL when it is no less safe than the uplink', () => {
  const guard = guardOf('https://index.example.com/a/')
  const urls = [
    'https://index.example.com:8443/',
    'https://static.example.org/b',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
  ]
  for (const url of urls) guard.check(new URL(url))
  guardOf('http://index.example.com/').check(new URL('https://example.org/'))
  guardOf('http://index.example.com/').check(new URL('http://example.org/'))
})

test('check() refuses a URL when its scheme is another, or less safe than the uplink', () => {
  for (const url of [
    'http://index.example.com/',
    'file:///etc/passwd',
    'ftp://example.com/',
    'data:,a',
    'javascript:1',
  ]) {
    const { protocol } = new URL(url)
    const wanted = isRefusal(`a \`${protocol}\` address: must be https`)
    assert.throws(() => guardOf('https://index.example.com/').check(new URL(url)), wanted, url)
  }
  const wanted = isRefusal('a `file:` address: must be http or https')
  assert.throws(() => guardOf('http://127.0.0.1/').check(new URL('file:///etc/passwd')), wanted)
})

test('check() refuses a URL when it has credentials, and does not repeat them', () => {
  for (const userinfo of ['joe:secret', 'joe', ':secret']) {
    const url = new URL(`https://${userinfo}@index.example.com/`)
    const wanted = isRefusal('an address with credentials in it')
    assert.throws(() => guardOf('https://index.example.com/').check(url), wanted)
  }
})

test('check() refuses a URL when its host is private in any spelling', () => {
  const hosts = [
    '127.0.0.1',
    '127.0.0.1.',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '0.0.0.0',
    '0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '[::]',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:a9fe:a9fe]',
    '[fd00:ec2::254]',
    '[64:ff9b::10.0.0.1]',
    'localhost',
    'LOCALHOST.',
    'a.localhost',
  ]
  const guard = guardOf('https://index.example.com/')
  for (const host of hosts) {
    const url = new URL(`https://${host}:8443/`)
    assert.throws(() => guard.check(url), isPrivate(url.hostname), host)
  }
})

test('isHome() is true when the origin is the same, however it is spelled', () => {
  const guard = guardOf('https://index.example.com/a/')
  assert.equal(guard.isHome(new URL('https://INDEX.example.com:443/b')), true)
  const others = [
    'http://index.example.com/a/',
    'https://index.example.com:8443/a/',
    'https://example.com/a/',
  ]
  for (const url of others) assert.equal(guard.isHome(new URL(url)), false, url)
})

test('connector() reaches the host of the uplink when it is private, on any port, before anything was met', async (t) => {
  const [index, files] = await Promise.all([startServer(t, '127.0.0.1'), startServer(t, '127.0.0.1')])
  for (const host of ['127.0.0.1', 'localhost']) {
    const ask = startClient(t, guardOf(`http://${host}:${index.port}/`))
    assert.equal(await ask(`http://${host}:${files.port}/`), 'ok')
    assert.equal(await ask(`http://${host}:${index.port}/`), 'ok')
  }
})

test('connector() reaches another name or port when the uplink was met at that address', async (t) => {
  const [index, files] = await Promise.all([startServer(t, '127.0.0.1'), startServer(t, '127.0.0.1')])
  const ask = startClient(t, guardOf(`http://localhost:${index.port}/`))
  await assert.rejects(ask(`http://127.0.0.1:${files.port}/`), isPrivate('127.0.0.1'))
  assert.equal(files.connections, 0)
  assert.equal(await ask(`http://localhost:${index.port}/`), 'ok')
  assert.equal(await ask(`http://127.0.0.1:${files.port}/`), 'ok')
})

test('connector() refuses a private address when the uplink is at another one, and connects to nothing', async (t) => {
  const [index, other, local] = await Promise.all([
    startServer(t, '127.0.0.1'),
    startServer(t, '127.0.0.2'),
    startServer(t, '127.0.0.1'),
  ])
  const guard = guardOf(`http://127.0.0.1:${index.port}/`)
  const [ask, askUnchecked] = [startClient(t, guard), startClient(t, guard, { checks: false })]
  assert.equal(await ask(`http://127.0.0.1:${index.port}/`), 'ok')
  for (const host of ['127.0.0.2', '[::ffff:127.0.0.2]', '2130706434', '0x7f.2']) {
    const url = new URL(`http://${host}:${other.port}/`)
    await assert.rejects(ask(url.href), isPrivate(url.hostname), host)
    await assert.rejects(askUnchecked(url.href), isPrivate(url.hostname.replace(/^\[|\]$/g, '')), host)
  }
  assert.equal(other.connections, 0)
  // What a name resolves to is known only when it is connected to.
  const elsewhere = startClient(t, guardOf(`http://127.0.0.2:${other.port}/`), { checks: false })
  await assert.rejects(elsewhere(`http://localhost:${local.port}/`), isPrivate('localhost'))
  assert.equal(local.connections, 0)
})

test('connector() does not take an address for met when the TLS handshake fails there', async (t) => {
  const silent = createTcpServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  const { port } = silent.address() as AddressInfo
  const guard = guardOf(`https://localhost:${port}/`)
  await assert.rejects(startClient(t, guard)(`https://localhost:${port}/`), { code: 'ECONNRESET' })
  assert.throws(() => guard.check(new URL('https://127.0.0.1/')), isPrivate('127.0.0.1'))
})

test('connector() takes an address for met when the TLS handshake succeeds there', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'egress-'))
  t.after(() => rm(folder, { recursive: true }))
  const { key, cert } = await makeCertificate(folder)
  const server = createHttpsServer({ key, cert }, (_, to) => to.end('ok')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close() && server.closeAllConnections())
  const { port } = server.address() as AddressInfo
  const guard = guardOf(`https://localhost:${port}/`)
  assert.equal(await startClient(t, guard, { ca: cert })(`https://localhost:${port}/`), 'ok')
  guard.check(new URL('https://127.0.0.1/'))
})

test('connector() says so when a name has no address', async (t) => {
  const ask = startClient(t, guardOf('http://index.example.com/'))
  await assert.rejects(ask('http://registry.invalid/'), (error: NodeJS.ErrnoException) =>
    ['ENOTFOUND', 'EAI_AGAIN'].includes(error.code ?? ''),
  )
})
