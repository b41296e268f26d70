import assert from 'node:assert/strict'
import { readdirSync, readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pacedBody } from '../../src/http/paced-body.ts'
import { type App, startApp } from '../support/app.ts'
import { publishBody } from '../support/crate-file.ts'
import { largeCrate } from './proxied.ts'

const TIMEOUT = 300
const OPTIONS = { options: { client_body_timeout: `${TIMEOUT}ms` } }
/** More than what is kept in memory, so that there is a temporary file. */
const BODY = publishBody(largeCrate('foo', '1.0.0', 700 * 1024))

/** Everything that came, once the server closed the connection, for the start of a request and what `send` adds. */
async function answerTo(
  app: App,
  start: string | Buffer,
  send: (write: (bytes: Buffer | string) => void) => Promise<void> = async () => {},
): Promise<string> {
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1')
  let all = ''
  socket.on('data', (chunk) => {
    all += chunk
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => {})
  socket.write(start)
  let isClosed = false
  closed.then(() => {
    isClosed = true
  })
  await Promise.race([closed, send((bytes) => void (isClosed || socket.write(bytes)))])
  await closed
  return all
}

function head(method: string, path: string, length: number, type = 'application/json'): string {
  const lines = [
    `${method} /cargo${path} HTTP/1.1`,
    'Host: x',
    'Authorization: ann',
    `Content-Type: ${type}`,
    `Content-Length: ${length}`,
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

const PUBLISH = head('PUT', '/api/v1/crates/new', BODY.length)

function mustBeTimeout(answer: string, detail: RegExp): void {
  assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/)
  assert.match(answer, /\r\nConnection: close\r\n/)
  assert.match(answer, detail)
}

/** Files without a name that this process has open. */
function unnamedFiles(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).endsWith('/crate (deleted)')
    } catch {
      return false
    }
  }).length
}

test('a publish that pauses for too long is refused, and leaves nothing behind', async (t) => {
  const app = await startApp(t, OPTIONS)
  let during = 0
  const answer = await answerTo(app, PUBLISH, async (write) => {
    write(BODY.subarray(0, 650 * 1024))
    for (let n = 0; during === 0 && n < 100; n++) {
      await sleep(TIMEOUT / 30, undefined, { ref: false })
      during = unnamedFiles()
    }
    await sleep(10_000, undefined, { ref: false })
  })
  mustBeTimeout(answer, /"the body of the request came too slowly: nothing in 0\.3 s"/)
  assert.equal(during, 1)
  assert.equal(unnamedFiles(), 0)
  assert.deepEqual(await app.stored(), [])
})

test('a publish that pauses before its metadata is refused as well', async (t) => {
  const app = await startApp(t, OPTIONS)
  mustBeTimeout(await answerTo(app, PUBLISH), /nothing in 0\.3 s/)
})

test('a publish that drips is refused', async (t) => {
  const app = await startApp(t, OPTIONS)
  const answer = await answerTo(app, PUBLISH, async (write) => {
    for (let at = 0; at < BODY.length; at += 10) {
      write(BODY.subarray(at, at + 10))
      // The answer ends this long before the body does.
      await sleep(50, undefined, { ref: false })
    }
  })
  mustBeTimeout(answer, /the body of the request came too slowly: \d+ bytes in 0\.\d s/)
})

test('a publish that comes in pieces, but fast enough, is taken', async (t) => {
  const app = await startApp(t, OPTIONS)
  const answer = await answerTo(
    app,
    PUBLISH.replace('Host: x', 'Host: x\r\nConnection: close'),
    async (write) => {
      for (let at = 0; at < BODY.length; at += 60_000) {
        write(BODY.subarray(at, at + 60_000))
        await sleep(60)
      }
    },
  )
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
})

test('forms and JSON have to come in time', async (t) => {
  const app = await startApp(t, OPTIONS)
  for (const start of [head('PUT', '/api/v1/crates/foo/owners', 99), head('PUT', '/api/v1/me/tokens', 99)]) {
    mustBeTimeout(await answerTo(app, `${start}{`), /nothing in 0\.3 s/)
  }
})

test('pacedBody() does not count the time that its reader takes', async () => {
  async function* source() {
    for (let n = 0; n < 5; n++) yield Buffer.of(n)
  }
  const got: number[] = []
  for await (const chunk of pacedBody(source()[Symbol.asyncIterator](), 20)) {
    got.push(...chunk)
    await sleep(30)
  }
  assert.deepEqual(got, [0, 1, 2, 3, 4])
})
