import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer as createHttpServer, get as httpGet, request } from 'node:http'
import { connect, constants } from 'node:http2'
import { get as httpsGet } from 'node:https'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { Logger } from '../../src/host.ts'
import { parseLines } from '../../src/protocol/index-lines.ts'
import { createServer, parseConfig } from '../../src/server/index.ts'
import { redisServer } from '../hosts/redis-server.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { makeCertificate } from '../support/certificate.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'
import { startServer } from '../support/server.ts'

const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

test('createServer() serves the registry at its real port and the health checks at the root', async (t) => {
  const server = await startServer(t)
  const config = JSON.parse((await server.send('/config.json')).text)
  assert.equal(config.dl, `${server.url}/api/v1/crates`)
  const root = new URL(server.url).origin
  for (const path of ['/live', '/ready', '/healthz']) {
    assert.equal((await fetch(root + path)).status, 200)
  }
  const metrics = await (await fetch(`${root}/metrics`)).text()
  assert.match(metrics, /cargo_requests_total\{route="\/config\.json",method="GET",status="200"\} 1/)
  assert.match(metrics, /process_cpu_seconds_total/)
})

test('createServer() speaks HTTP/2 and HTTP/1.1 over https', async (t) => {
  const server = await startServer(t, { transport: 'https' })
  assert.equal((await server.send('/config.json')).status, 200)
  const session = connect(server.url, { rejectUnauthorized: false })
  const stream = session.request({ ':path': '/cargo/config.json' })
  const [headers] = await new Promise<[Record<string, unknown>]>((resolve) => {
    stream.once('response', (...answer) => resolve(answer as never))
  })
  assert.equal(headers[constants.HTTP2_HEADER_STATUS], 200)
  assert.equal(JSON.parse(await text(stream)).api, server.url)
  session.destroy()
})

test('createServer() has nothing outside the mount, and says so in the same words over HTTP/2 and HTTP/1.1', async (t) => {
  const server = await startServer(t, { transport: 'https' })
  const session = connect(server.url, { rejectUnauthorized: false })
  t.after(() => session.destroy())
  for (const path of ['/', '/cargo-not', '/live/x']) {
    const stream = session.request({ ':path': path })
    const [head] = (await once(stream, 'response')) as [Record<string, unknown>]
    const body = await text(stream)
    assert.deepEqual([head[':status'], body], [404, 'Not Found\n'], path)
    assert.equal(head['content-type'], 'text/plain; charset=utf-8')
    const [one] = await once(httpsGet(new URL(path, server.url), { rejectUnauthorized: false }), 'response')
    assert.deepEqual([one.httpVersion, one.statusCode, await text(one)], ['1.1', 404, body], path)
    assert.equal(one.headers['content-type'], head['content-type'])
  }
})

test('createServer() refuses no crate of a graph that one connection asks for while it reads late', async (t) => {
  const server = await startServer(t, { transport: 'https' })
  const crate = crateFile('big').add('big-1.0.0/src/data.bin', randomBytes(200_000))
  await server.seed(crate)
  const session = connect(server.url, { rejectUnauthorized: false })
  t.after(() => session.destroy())
  const ask = (count: number) =>
    Array.from({ length: count }, () =>
      session.request({ ':path': '/cargo/api/v1/crates/big/1.0.0/download' }),
    )
  const first = ask(90)
  await Promise.all(first.map((stream) => once(stream, 'response')))
  await setTimeout(200)
  const bodies = await Promise.all([...first, ...ask(90)].map((stream) => buffer(stream)))
  for (const body of bodies) assert.deepEqual(body, crate.bytes())
})

test('createServer() logs requests with their id, and never a token or query', async (t) => {
  const server = await startServer(t)
  const response = await fetch(`${server.url}/api/v1/crates?q=needle`, {
    headers: { authorization: 'ann-token', 'x-request-id': 'build-42' },
  })
  assert.equal(response.headers.get('x-request-id'), 'build-42')
  await response.text()
  await server.send('/config.json', { token: 'wrong-token' })
  await server.seed(crateFile('foo', '1.0.0'))
  const log = server.log.join('\n')
  assert.match(
    log,
    /"request":"build-42","client":"127.0.0.1","method":"GET","path":"\/cargo\/api\/v1\/crates","status":200/,
  )
  assert.match(log, /"audit":\{.*"kind":"publish".*"crate":"foo".*"by":"ann"/)
  assert.doesNotMatch(log, /ann-token|wrong-token|needle/)
})

test('createServer() replaces request ids that could harm a log', async (t) => {
  const server = await startServer(t)
  for (const id of ['a b', 'x'.repeat(129), '"']) {
    const response = await fetch(`${server.url}/config.json`, { headers: { 'x-request-id': id } })
    assert.match(response.headers.get('x-request-id') ?? '', /^[0-9a-f]{24}-[0-9a-z]+$/)
  }
})

test('close() finishes a request that is in flight, and refuses new ones', async (t) => {
  const server = await createServer(
    parseConfig({
      listen: '127.0.0.1:0',
      storage: { fs: { path: await temporaryFolder(t) } },
    }),
    { environment: {}, logger: SILENT },
  )
  const body = Buffer.alloc(4)
  const response = new Promise<number | undefined>((resolve, reject) => {
    const headers = { authorization: 'none', 'content-length': body.length }
    const running = request(`${server.url}/api/v1/crates/new`, { method: 'PUT', headers, agent: false })
    running.on('response', (answer) => resolve(answer.statusCode)).on('error', reject)
    running.flushHeaders()
    setTimeout(1500).then(() => running.end(body))
  })
  await setTimeout(500)
  const closed = server.close()
  assert.equal(server.close(), closed)
  await assert.rejects(
    new Promise((resolve, reject) => httpGet(server.url, { agent: false }, resolve).on('error', reject)),
    { code: 'ECONNREFUSED' },
  )
  assert.equal(await response, 401)
  await closed
})

test('close() does not wait for idle HTTP/2 sessions and connections', async (t) => {
  for (const transport of ['https', 'http'] as const) {
    const folder = await temporaryFolder(t)
    const { certFile: cert, keyFile: key } = await makeCertificate(folder)
    const tls = transport === 'https' ? { tls: { cert, key } } : {}
    const settings = { listen: '127.0.0.1:0', storage: { fs: { path: folder } }, ...tls }
    const server = await createServer(parseConfig(settings), { environment: {}, logger: SILENT })
    const silent = connectTcp(server.port, '127.0.0.1')
    await once(silent, 'connect')
    const session = transport === 'https' ? connect(server.url, { rejectUnauthorized: false }) : undefined
    if (session) await once(session, 'remoteSettings')
    else await (await fetch(`${server.url}/config.json`)).text()
    const began = performance.now()
    await server.close()
    assert.ok(performance.now() - began < 2_000, transport)
    silent.destroy()
    session?.destroy()
  }
})

test('createServer() shares a Redis with other processes, and is right without it', async (t) => {
  const redis = await redisServer()
  t.after(() => redis.close())
  const folder = await temporaryFolder(t)
  const start = async () => {
    const config = parseConfig({
      listen: '127.0.0.1:0',
      storage: { fs: { path: folder } },
      redis: redis.url,
      auth: { tokens: [{ token_env: 'ANN', user: 'ann' }] },
    })
    const server = await createServer(config, { environment: { ANN: 'ann-token' }, logger: SILENT })
    t.after(() => server.close())
    return server
  }
  const [one, two] = [await start(), await start()]
  const publish = async (version: string) => {
    const body = publishBody(crateFile('foo', version))
    const put = { method: 'PUT', headers: { authorization: 'ann-token' }, body }
    return (await fetch(`${one.url}/api/v1/crates/new`, put)).status
  }
  const versions = async ({ url }: typeof one) =>
    parseLines(await (await fetch(`${url}/3/f/foo`)).text()).map(({ vers }) => vers)

  assert.equal(await publish('1.0.0'), 200)
  // The copy is left there behind the answer.
  while (/^:0/.test(await redis.command('DBSIZE'))) await setTimeout(20)
  assert.deepEqual(await versions(two), ['1.0.0'])
  const metrics = await (await fetch(`${new URL(two.url).origin}/metrics`)).text()
  assert.match(metrics, /lookups_total\{tier="shared",result="hit"\} 1/)
  await redis.stop()
  assert.deepEqual(await versions(one), ['1.0.0'])
  assert.equal(await publish('1.0.1'), 200)
  // What another process has done is looked for once a second.
  await setTimeout(1_100)
  for (const server of [one, two]) assert.deepEqual(await versions(server), ['1.0.0', '1.0.1'])
})

test('createServer() names the key when it cannot start', async (t) => {
  const folder = await temporaryFolder(t)
  const blocker = createHttpServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => blocker.once('listening', resolve))
  t.after(() => blocker.close())
  const { port } = blocker.address() as AddressInfo
  const cases = [
    [{ listen: `127.0.0.1:${port}` }, /`listen`: cannot listen on 127\.0\.0\.1:\d+: the port is in use/],
    [{ tls: { cert: join(folder, 'no'), key: join(folder, 'no') } }, /`tls\.cert`: ENOENT/],
    [
      { tls: { cert: import.meta.filename, key: import.meta.filename } },
      /`tls\.cert`: must be a PEM certificate/,
    ],
    [
      { auth: { tokens: [{ token_env: 'CI_TOKEN', user: 'ci' }] } },
      /`auth\.tokens\.0\.token_env`: .*`CI_TOKEN`/,
    ],
    [{ auth: { htpasswd: join(folder, 'no') } }, /`auth\.htpasswd`: ENOENT/],
  ] as const
  for (const [settings, message] of cases) {
    const config = parseConfig({ listen: '127.0.0.1:0', storage: { fs: { path: folder } }, ...settings })
    const starting = createServer(config, { environment: {}, logger: SILENT })
    await assert.rejects(starting, { name: 'ConfigError', message })
  }
})

test('createServer() knows tokens by their hash', async (t) => {
  const token_sha256 = createHash('sha256').update('secret').digest('hex')
  const server = await createServer(
    parseConfig({
      listen: '127.0.0.1:0',
      storage: { fs: { path: await temporaryFolder(t) } },
      auth: { tokens: [{ token_sha256, user: 'ann' }] },
      cargo: { auth_required: true },
    }),
    { environment: {}, logger: SILENT },
  )
  t.after(() => server.close())
  const status = async (authorization: string) =>
    (await fetch(`${server.url}/config.json`, { headers: { authorization } })).status
  assert.equal(await status('secret'), 200)
  assert.equal(await status('other'), 401)
})

test('createServer() warns of a password file that becomes unusable, and goes on with its last users', async (t) => {
  const folder = await temporaryFolder(t)
  const htpasswd = join(folder, 'users')
  const joe = `joe:{SHA}${createHash('sha1').update('pw').digest('base64')}\n`
  await writeFile(htpasswd, joe)
  const warnings: string[] = []
  const warn = (fields: object, message: string) =>
    void warnings.push(`${message}: ${'err' in fields ? fields.err : ''}`)
  const config = parseConfig({
    listen: '127.0.0.1:0',
    storage: { fs: { path: join(folder, 'data') } },
    auth: { htpasswd },
    cargo: { uplinks: {} },
  })
  const server = await createServer(config, { environment: {}, logger: { ...SILENT, warn } })
  t.after(() => server.close())
  const authorization = `Basic ${Buffer.from('joe:pw').toString('base64')}`
  await writeFile(htpasswd, `${joe}sam:$6$salt$${'s'.repeat(86)}\n`)
  for (let look = 0; look < 2; look++) {
    await setTimeout(1_050)
    const { status } = await fetch(`${server.url}/api/v1/me/tokens`, { headers: { authorization } })
    assert.equal(status, 200)
  }
  assert.equal(warnings.length, 1, warnings.join('\n'))
  assert.match(
    warnings[0] ?? '',
    /^password file cannot be used: [^:]+: Error: htpasswd file `[^`]+`: line 2: hash of user `sam` must be/,
  )
})
