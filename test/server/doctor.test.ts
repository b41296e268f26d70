import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer as createProxy, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { parseConfig } from '../../src/server/config.ts'
import { examine } from '../../src/server/doctor.ts'
import { checkStorage } from '../../src/server/doctor-storage.ts'
import { createFirstToken } from '../../src/server/first-user.ts'
import { createServer } from '../../src/server/server.ts'
import { redisServer } from '../hosts/redis-server.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { makeCertificate } from '../support/certificate.ts'
import { crateFile } from '../support/crate-file.ts'
import { startUplink } from '../support/uplink.ts'

const MAIN = join(import.meta.dirname, '../../src/server/main.ts')
const logger = { debug() {}, info() {}, warn() {}, error() {} }

/** A folder with settings, and the command in this process. */
async function surgery(t: TestContext, settings: object = {}) {
  const folder = await temporaryFolder(t)
  const data = join(folder, 'data')
  await mkdir(data)
  const file = join(folder, 'config.yaml')
  const config = {
    listen: '127.0.0.1:1',
    storage: { fs: { path: data } },
    cargo: { uplinks: {} },
    ...settings,
  }
  await writeFile(file, JSON.stringify(config))

  async function run({ url = '', write = false, token = '', environment = {} } = {}) {
    const out = new PassThrough()
    const sources = {
      file,
      workingDirectory: folder,
      environment: { ...environment, VERDACCIO_CARGO_TOKEN: token },
    }
    const isWell = await examine(sources, { url: url || undefined, write }, out)
    out.end()
    const printed = await text(out)
    assert.ok(token === '' || !printed.includes(token), printed)
    const lines = printed.trimEnd().split('\n')
    return { isWell, lines, wrong: lines.filter((line) => line.startsWith('wrong ')) }
  }

  /** The server of these settings, on a port of its own. */
  async function serve(changes: object = {}) {
    const parsed = parseConfig({ ...config, listen: '127.0.0.1:0', ...changes })
    const server = await createServer(parsed, { environment: {}, logger })
    t.after(() => server.close())
    return { ...server, token: (await createFirstToken(server.storage)) ?? '' }
  }
  return { folder, data, file, run, serve }
}

interface ProxyFaults {
  /** Answers bodies beyond so many bytes as nginx does. */
  readonly maxBody?: number
  readonly gzip?: boolean
  readonly upgrade?: boolean
  readonly mutate?: (body: string) => string
  readonly headers?: Readonly<Record<string, string>>
}

/** A proxy before a server, which keeps the client's `Host` to itself. */
async function startProxy(t: TestContext, port: number, faults: ProxyFaults): Promise<string> {
  const pass = (from: IncomingMessage, to: ServerResponse) => {
    const { maxBody = Number.POSITIVE_INFINITY } = faults
    if (Number(from.headers['content-length'] ?? 0) > maxBody) {
      to.writeHead(413, { 'Content-Type': 'text/html', Connection: 'close' })
      return to.end('<html><h1>413 Request Entity Too Large</h1></html>')
    }
    const { connection: _, upgrade: __, 'http2-settings': ___, ...headers } = from.headers
    const onward = request({ port, path: from.url, method: from.method, headers }, async (answer) => {
      const chunks = await answer.toArray()
      let body: Buffer = Buffer.concat(chunks)
      const passed = { ...answer.headers, ...faults.headers }
      delete passed['content-length']
      if (faults.mutate) body = Buffer.from(faults.mutate(body.toString()))
      const isCrate = answer.headers['content-type'] === 'application/gzip'
      if (faults.gzip && isCrate) body = gzipSync(body)
      to.writeHead(answer.statusCode ?? 0, {
        ...passed,
        ...(faults.gzip && isCrate && { 'Content-Encoding': 'gzip' }),
      })
      to.end(body)
    })
    from.pipe(onward)
    return undefined
  }
  const proxy = createProxy(pass).on('checkContinue', pass)
  if (faults.upgrade) proxy.on('upgrade', (_, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.after(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/cargo`
}

test('the doctor command finds all well with a server that runs, and takes back what it publishes', async (t) => {
  const { folder, file, data, serve } = await surgery(t)
  const { url, token, storage } = await serve()
  const args = [MAIN, 'doctor', '--config', file, '--url', `sparse+${url}/`, '--write']
  const env = { ...process.env, VERDACCIO_CARGO_TOKEN: token }
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  assert.equal(stderr, '')
  assert.equal(code, 0, stdout)
  const shape = stdout
    .replaceAll(url, 'URL')
    .replace(/-[0-9a-f]{8}`/g, '-NAME`')
    .replace(/\d+(\.\d+)? ms/g, 'T')
    .replace(/\d+(\.\d)? MiB/g, 'SIZE')
    .replace(data, 'DATA')
  assert.deepEqual(shape.trimEnd().split('\n'), [
    'ok      settings: can be used',
    'ok      storage: folder `DATA`',
    'ok      storage: write (T, durable), read, list and delete; its clock agrees with the one here',
    'ok      storage: of 64 writers of one new key, one wins',
    'ok      storage: SIZE are free for the storage',
    'ok      storage: SIZE are free for temporary files',
    'ok      url: URL/ answers within T',
    'ok      url: its clock agrees with the one here',
    'ok      url: config.json has this URL in `api` and `dl`',
    "ok      url: cargo's own headers, with `Upgrade: h2c`, are answered alike",
    'ok      url: `X-Forwarded-*` of clients change nothing',
    'ok      url: a publish of 10485760 bytes without a token is refused with 401 before it is sent',
    'skipped url: no `.crate` file to look at, `--write` publishes one',
    'ok      url: an upload of 10485760 bytes arrives',
    'ok      url: published `verdaccio-cargo-doctor-NAME`',
    'ok      url: it is in the index after T',
    'ok      url: what is downloaded is what was published',
    'ok      url: `.crate` files are sent as they are',
    stdout.includes('yanked it')
      ? 'ok      url: yanked it; `unpublish` in the rules would let it be removed'
      : 'ok      url: removed it; its name stays taken',
    'all is well',
  ])
  assert.ok(!(await readdir(data)).includes('selftest'))
  const changes: string[] = []
  for await (const { key } of storage.list('crates/')) changes.push(key)
  assert.equal(changes.length, 2)
})

test('examine() finds it well that `Upgrade: h2c` is taken', async (t) => {
  const { run, serve } = await surgery(t)
  const { url } = await serve({ h2c: true })
  const { isWell, lines } = await run({ url })
  assert.ok(isWell, lines.join('\n'))
  const told = 'ok      url: `Upgrade: h2c`, which cargo sends, is taken: it gets HTTP/2 over plain http'
  assert.ok(lines.includes(told), lines.join('\n'))
})

test('examine() says what a proxy does wrong, and what to tell it', async (t) => {
  const { run, serve } = await surgery(t)
  const { port, url, token } = await serve({ public_url: undefined })
  const cases: readonly (readonly [ProxyFaults, RegExp, string?])[] = [
    [{ maxBody: 1024 * 1024 }, /a publish of 10485760 bytes is refused with 413: [^\n]*client_max_body_size/],
    [
      { upgrade: true },
      /`Upgrade: h2c`, which cargo sends, (is answered with 400 instead of 200|breaks[^:]*): let/,
    ],
    [
      { headers: { date: 'Wed, 01 Jan 2020 00:00:00 GMT' } },
      /its clock is -\d+ s off the one here: let both be set by NTP/,
    ],
    [{ mutate: () => '<html>hello</html>' }, /config\.json is answered with 200 and something else/],
    [
      { mutate: (body) => body.replaceAll('/cargo', '/crates') },
      /`api` is `[^`]+\/crates`, asked at `[^`]+`: let the proxy leave paths/,
    ],
    [
      { mutate: (body) => body.replaceAll('http:', 'https:') },
      /`api` is `https:[^`]+`, asked at `http:[^`]+`: set `public_url: http:/,
    ],
    [{ mutate: (body) => body.replace('/cargo"}', '/cargo/"}') }, /`api` is `[^`]+\/`[^\n]*: no final slash/],
    [{}, new RegExp(`\`api\` is \`${url}\`, asked at .*: set \`public_url\``), 'as it is'],
  ]
  for (const [faults, wanted, asItIs] of cases) {
    let own = ''
    const mutate = (body: string) => (faults.mutate ?? String)(asItIs ? body : body.replaceAll(url, own))
    own = await startProxy(t, port, { ...faults, mutate })
    const { isWell, wrong } = await run({ url: own })
    assert.equal(isWell, false)
    assert.match(wrong.join('\n'), wanted)
    assert.equal(wrong.length, faults.mutate?.('') === '<html>hello</html>' ? 2 : 1, wrong.join('\n'))
  }

  const packing = await startProxy(t, port, { gzip: true })
  const { wrong } = await run({ url: packing, write: true, token })
  assert.match(
    wrong.join('\n'),
    /`\.crate` files are sent with `Content-Encoding: gzip`[^\n]*: let the proxy compress no/,
  )
  assert.match(wrong.join('\n'), /what is downloaded is not what was published/)
})

test('examine() takes a server that does not run as a problem of the URL only', async (t) => {
  const { run } = await surgery(t)
  const { isWell, lines, wrong } = await run()
  assert.equal(isWell, false)
  assert.equal(wrong.length, 1)
  assert.match(
    wrong[0] ?? '',
    /^wrong {3}url: http:\/\/127\.0\.0\.1:1\/cargo\/ cannot be reached from here: connect ECONNREFUSED 127\.0\.0\.1:1: start the server/,
  )
  assert.equal(lines.at(-1), '1 problem')
  assert.match((await run({ url: 'ftp://x/' })).wrong.join(), /`--url` is no http or https URL/)
})

test('examine() looks at the certificate and sends no token to who has none that is trusted', async (t) => {
  const { folder, file, run, serve } = await surgery(t)
  const { keyFile, certFile } = await makeCertificate(folder)
  const { url, token } = await serve({ tls: { cert: certFile, key: keyFile } })
  const { wrong, lines } = await run({ url, token, write: true })
  assert.equal(wrong.length, 3, wrong.join('\n'))
  assert.match(
    wrong[0] ?? '',
    /the certificate is not trusted: DEPTH_ZERO_SELF_SIGNED_CERT: use one of an authority/,
  )
  assert.match(wrong[1] ?? '', /the certificate expires in 1 days: renew it/)
  assert.match(wrong[2] ?? '', /the token is not sent/)
  assert.ok(lines.includes('ok      url: HTTP/2 is offered'))

  const env = { ...process.env, NODE_EXTRA_CA_CERTS: certFile, VERDACCIO_CARGO_TOKEN: token }
  const args = [MAIN, 'doctor', '--config', file, '--url', url, '--write']
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  assert.equal(code, 1)
  assert.deepEqual(printed.match(/^wrong .*$/gm)?.length, 1, printed)
  assert.match(printed, /^ok {6}url: what is downloaded is what was published$/m)
})

test('examine() asks for the token where reads need a login, and says when it is not taken', async (t) => {
  const { run, serve } = await surgery(t)
  const { url, token } = await serve({ cargo: { uplinks: {}, auth_required: true } })
  const without = await run({ url })
  assert.equal(without.isWell, true, without.wrong.join('\n'))
  assert.ok(without.lines.some((line) => line.startsWith('skipped url: config.json needs a login')))
  const given = await run({ url, token, write: true })
  assert.equal(given.isWell, true, given.wrong.join('\n'))
  assert.ok(given.lines.includes('ok      url: config.json has this URL in `api` and `dl`'))
  assert.match(
    (await run({ url, token: 'canary-token' })).wrong.join('\n'),
    /the token of VERDACCIO_CARGO_TOKEN is not accepted/,
  )
  assert.match(
    (await run({ url, write: true })).wrong.join('\n'),
    /nothing is published without a token: set VERDACCIO_CARGO_TOKEN/,
  )
})

test('examine() tries Redis, and keeps its password to itself', async (t) => {
  const redis = await redisServer()
  t.after(() => redis.close())
  await redis.command('CONFIG', 'SET', 'requirepass', 'canary-password')
  const at = redis.url.replace('redis://', '')
  const check = async (url: string) => {
    const { lines } = await (await surgery(t, { redis: url })).run()
    assert.ok(!lines.join().includes('canary'), lines.join('\n'))
    return lines.filter((line) => line.includes(' redis: '))
  }
  assert.match(
    (await check(`redis://:canary-password@${at}`)).join('\n'),
    new RegExp(`^ok {6}redis: at ${at}: set, get and lock, [0-9.]+ ms for a call$`),
  )
  assert.match(
    (await check(`redis://:canary-wrong@${at}`)).join('\n'),
    new RegExp(`^wrong {3}redis: at ${at}: [^\n]*start it, or correct host`),
  )
  await redis.stop()
  assert.match((await check(`redis://${at}`)).join('\n'), /^wrong {3}redis: /)
})

test('examine() asks each uplink as a server would', async (t) => {
  const good = await startUplink(t, {
    crates: [crateFile('serde')],
    authRequired: 'canary-secret',
    api: true,
  })
  const away = await startUplink(t, {})
  await away.stop()
  const auth = (variable: string) => ({ token_env: variable })
  const uplinks = {
    good: { url: good.index, auth: auth('GOOD') },
    refused: { url: good.index, auth: auth('BAD') },
    away: { url: away.index },
  }
  const { run } = await surgery(t, { cargo: { uplinks } })
  const { lines } = await run({ environment: { GOOD: 'canary-secret', BAD: 'canary-bad' } })
  const found = lines.filter((line) => line.includes(' uplink '))
  assert.match(
    found[0] ?? '',
    /^ok {6}uplink good: has `serde` with 1 versions, within [0-9.]+ ms, with its credential$/,
  )
  assert.match(found[1] ?? '', /^ok {6}uplink good: its config\.json and its search can be used$/)
  assert.match(found[2] ?? '', /^wrong {3}uplink refused: [^\n]*401[^\n]*: look at `url`, `auth`/)
  assert.match(found[3] ?? '', /^wrong {3}uplink away: [^\n]*refuses connections[^\n]*: look at `url`/)
  assert.ok(!lines.join().includes('canary'))
  assert.match(
    (await run({ environment: { GOOD: 'x' } })).wrong.join('\n'),
    /^wrong {3}settings: [^\n]*`BAD` is not set: correct it/,
  )
})

test('examine() takes an uplink without a search as well, and one without config.json not', async (t) => {
  const spec = { crates: [crateFile('serde')] }
  const [plain, lost, broken, bare] = await Promise.all([
    startUplink(t, spec),
    startUplink(t, { ...spec, api: true }),
    startUplink(t, { ...spec, api: true }),
    startUplink(t, spec),
  ])
  lost.fault('/api/v1/crates', '404')
  broken.fault('/api/v1/crates', '500')
  bare.fault('/index/config.json', '404')
  const lineOf = async (uplink: { readonly index: string }) => {
    const { run } = await surgery(t, { cargo: { uplinks: { up: { url: uplink.index } } } })
    return (await run()).lines.filter((line) => line.includes(' uplink ')).at(-1)
  }
  const has = 'uplink up: its config.json can be used; it has no search: only local and kept crates are found'
  assert.equal(await lineOf(plain), `ok      ${has}`)
  assert.equal(await lineOf(lost), `ok      ${has} (nothing is at \`${lost.origin}/api/v1/crates\`)`)
  assert.equal(
    await lineOf(broken),
    'wrong   uplink up: uplink `up` answers 500: without its search, only local and kept crates are found',
  )
  assert.equal(
    await lineOf(bare),
    `wrong   uplink up: uplink \`up\` answers 404 at \`${bare.origin}/index/config.json\`: without its config.json, no files come from it`,
  )
})

test('examine() says what is wrong with the folder', async (t) => {
  const { folder, run } = await surgery(t, { storage: { fs: { path: './elsewhere' } } })
  assert.match(
    (await run()).wrong.join('\n'),
    /^wrong {3}storage: there is no registry at `[^`]+elsewhere`: no such folder: correct `storage\.fs\.path` or/,
  )
  assert.ok(!(await readdir(folder)).includes('elsewhere'))
  await writeFile(join(folder, 'elsewhere'), '')
  assert.match(
    (await run()).wrong.join('\n'),
    /^wrong {3}storage: there is no registry at `[^`]+`: it is no folder: correct/,
  )
})

test('checkStorage() finds a store where several writers win, or whose clock is off, and leaves nothing', async () => {
  const memory = memoryStorage()
  const cases = [
    [
      { ...memory, put: async (key: string, body: never) => (await memory.put(key, body)) || true },
      /of 64 writers of one new key, 64 won/,
    ],
    [
      { ...memory, put: async () => Promise.reject(new Error('EROFS: read-only')) },
      /cannot be used: EROFS: read-only/,
    ],
    [memory, /its clock is -?3600 s off the one here/],
  ] as const
  for (const [store, wanted] of cases) {
    const ahead = store === memory ? 3_600_000 : 0
    const found: string[] = []
    for await (const { status, text } of checkStorage(store, () => new Date(Date.now() + ahead)))
      if (status === 'wrong') found.push(text)
    assert.equal(found.length, 1)
    assert.match(found[0] ?? '', wanted)
    for await (const { key } of memory.list('')) assert.fail(key)
  }
})
