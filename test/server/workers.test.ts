import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:http2'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseConfig } from '../../src/server/index.ts'
import { s3Server } from '../hosts/s3-server.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { makeCertificate } from '../support/certificate.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'
import { startWithWorkers, type WorkerServer } from '../support/workers.ts'

const PATIENCE_MS = 60_000

/** An answer to a request over a connection of its own, so that the workers take turns. */
async function ask(url: string, spec: { method?: string; token?: string; body?: Buffer } = {}) {
  const { method = 'GET', token, body } = spec
  const headers = token === undefined ? {} : { authorization: token }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { agent: false, method, headers }, resolve).on('error', reject).end(body)
  })
  return { status: response.statusCode ?? 0, text: await text(response) }
}

/** Waits for what comes about some time. */
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!(await what())) {
    assert.ok(performance.now() < deadline, 'it never came about')
    await sleep(50)
  }
}

/** Until every worker has answered. */
async function allServing(server: WorkerServer, count: number): Promise<void> {
  await until(async () => {
    await ask(`${server.url}/config.json`)
    return new Set(server.log().flatMap(({ worker }) => (worker === undefined ? [] : [worker]))).size >= count
  })
}

test('workers share a port, the first token, the log and the metrics', { timeout: 170_000 }, async (t) => {
  const server = await startWithWorkers(t, await temporaryFolder(t), 2)
  await until(() => /vcargo_/.test(server.said()))
  await allServing(server, 2)
  assert.equal(server.said().match(/serves /g)?.length, 1)
  const [token, ...others] = server.said().match(/^vcargo_[\w-]{43}$/gm) ?? []
  assert.deepEqual(others, [])
  assert.ok(token)
  const put = { method: 'PUT', token, body: publishBody(crateFile()) }
  const published = Array.from({ length: 8 }, () => ask(`${server.url}/api/v1/crates/new`, put))
  const statuses = (await Promise.all(published)).map(({ status }) => status)
  assert.deepEqual(statuses.sort(), [200, 409, 409, 409, 409, 409, 409, 409])
  await sleep(1_000)
  for (let worker = 0; worker < 4; worker++) {
    assert.match((await ask(`${server.url}/3/f/foo`)).text, /"vers":"1\.0\.0"/)
    const metrics = (await ask(new URL('/metrics', server.url).href)).text
    assert.match(metrics, /^cargo_publishes_total 1$/m)
    assert.match(
      metrics,
      /^cargo_requests_total\{route="\/api\/v1\/crates\/new",method="PUT",status="409"\} 7$/m,
    )
  }
  const audits = server.log().filter(({ msg }) => msg === 'audit')
  assert.equal(audits.length, 1)
})

test('a worker that dies is started again, and the others go on', { timeout: 170_000 }, async (t) => {
  const server = await startWithWorkers(t, await temporaryFolder(t), 2)
  await allServing(server, 2)
  const [victim = 0] = server.workers()
  process.kill(victim, 'SIGKILL')
  await until(() => server.log().some(({ msg }) => msg === 'a worker ended'))
  for (let n = 0; n < 20; n++) assert.equal((await ask(`${server.url}/config.json`)).status, 200)
  await until(() => server.workers().length === 2)
  await allServing(server, 3)
  assert.ok(!server.workers().includes(victim))
})

test('a stop lets every worker finish, whoever gets the signal', { timeout: 170_000 }, async (t) => {
  const server = await startWithWorkers(t, await temporaryFolder(t), 2)
  await allServing(server, 2)
  const workers = server.workers()
  const running = Array.from({ length: 4 }, () => startUpload(`${server.url}/api/v1/crates/new`))
  await until(() => running.every(({ isConnected }) => isConnected()))
  await sleep(300)
  // To the whole group, as a terminal does it.
  process.kill(-server.pid, 'SIGTERM')
  await until(async () => {
    const { status } = await ask(`${server.url}/config.json`).catch(() => ({ status: 0 }))
    return status === 0
  })
  const answers = await Promise.all(running.map(({ finish }) => finish()))
  assert.deepEqual(answers, [401, 401, 401, 401])
  assert.deepEqual(await server.ended, [0, null])
  for (const pid of workers) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

/** A publish without a credential whose body is not complete until `finish()`, which tells the status. */
function startUpload(url: string) {
  const outgoing = request(url, { agent: false, method: 'PUT', headers: { 'content-length': 10 } })
  outgoing.write('12345')
  const answered = once(outgoing, 'response').then(([response]: IncomingMessage[]) => response?.statusCode)
  return {
    isConnected: () => outgoing.socket?.connecting === false,
    finish: async () => {
      outgoing.end('67890')
      return answered
    },
  }
}

test('workers die with their primary', { timeout: 170_000 }, async (t) => {
  const server = await startWithWorkers(t, await temporaryFolder(t), 2)
  await allServing(server, 2)
  const workers = server.workers()
  assert.equal(workers.length, 2)
  process.kill(server.pid, 'SIGKILL')
  await until(() => workers.every((pid) => !isAlive(pid)))
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('workers serve HTTP/2 over TLS', { timeout: 170_000 }, async (t) => {
  const folder = await temporaryFolder(t)
  const { certFile, keyFile, cert } = await makeCertificate(folder)
  const server = await startWithWorkers(t, folder, 2, {
    VERDACCIO_CARGO_TLS__CERT: certFile,
    VERDACCIO_CARGO_TLS__KEY: keyFile,
  })
  for (let n = 0; n < 4; n++) {
    const session = connect(server.url, { ca: cert })
    const stream = session.request({ ':path': '/cargo/config.json' })
    const [headers] = await once(stream, 'response')
    assert.equal(headers[':status'], 200)
    assert.match(await text(stream), /"dl":"https:/)
    session.close()
  }
})

test('/ready of every worker goes off when storage is gone', { timeout: 170_000 }, async (t) => {
  const s3 = await s3Server()
  t.after(() => s3.close())
  const { storage, environment } = s3.settings()
  const server = await startWithWorkers(t, await temporaryFolder(t), 2, {
    ...environment,
    VERDACCIO_CARGO_STORAGE: JSON.stringify(storage),
  })
  await allServing(server, 2)
  const ready = new URL('/ready', server.url).href
  assert.deepEqual(await ask(ready), { status: 200, text: 'ok\n' })
  await s3.close()
  for (let n = 0; n < 4; n++)
    assert.deepEqual(await ask(ready), { status: 503, text: 'storage does not answer\n' })
  assert.equal((await ask(new URL('/live', server.url).href)).status, 200)
})

test('a start that fails ends with status 1, and says why', { timeout: 170_000 }, async (t) => {
  const folder = await temporaryFolder(t)
  assert.match(
    await failedStart(t, folder, { VERDACCIO_CARGO_WORKERS: '0' }),
    /^verdaccio-cargo: invalid configuration: `workers`: must be a number of processes, 1 or more\n$/,
  )
  assert.match(
    await failedStart(t, folder, {
      VERDACCIO_CARGO_WORKERS: '2',
      VERDACCIO_CARGO_TLS__CERT: join(folder, 'absent'),
      VERDACCIO_CARGO_TLS__KEY: join(folder, 'absent'),
    }),
    /^verdaccio-cargo: invalid configuration: `tls\.cert`: [^\n]*\nverdaccio-cargo: the first worker ended with status 1 before it served\n$/,
  )
})

async function failedStart(t: TestContext, cwd: string, settings: Readonly<Record<string, string>>) {
  const main = join(import.meta.dirname, '../../src/server/main.ts')
  const child = spawn(process.execPath, [main, '--listen', '127.0.0.1:0', '--no-uplinks'], {
    ...{ cwd, stdio: ['ignore', 'ignore', 'pipe'] },
    env: { ...process.env, ...settings },
  })
  t.after(() => child.kill('SIGKILL'))
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  assert.equal(code, 1)
  return said
}

test('without the setting there is one process', () => {
  assert.equal(parseConfig({}).workers, 1)
})
