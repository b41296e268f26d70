import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

const SMUGGLED =
  'DELETE /cargo/api/v1/crates/foo/1.0.0/yank HTTP/1.1\r\nHost: x\r\nAuthorization: ann\r\n\r\n'
const PUT = 'PUT /cargo/api/v1/crates/new HTTP/1.1\r\nHost: x\r\nAuthorization: ann\r\n'
const GET = 'GET /cargo/config.json HTTP/1.1\r\n'

/** Requests that a proxy may understand in another way than we do. */
const AMBIGUOUS: Readonly<Record<string, string>> = {
  'a length and chunks': `${PUT}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'chunks and a length': `${PUT}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'two lengths': `${PUT}Content-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  'two equal lengths': `${PUT}Content-Length: 5\r\nContent-Length: 5\r\n\r\n12345${SMUGGLED}`,
  'a list of lengths': `${PUT}Content-Length: 0, ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  'a length with a sign': `${PUT}Content-Length: +0\r\n\r\n${SMUGGLED}`,
  'a length in hexadecimal': `${PUT}Content-Length: 0x0\r\n\r\n${SMUGGLED}`,
  'chunks that are not the last encoding': `${PUT}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'chunks in disguise': `${PUT}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'a space before the colon': `${PUT}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'a folded header': `${PUT}X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'a bare line feed': `${PUT}X: y\nContent-Length: 0\r\n\r\n${SMUGGLED}`,
  'a bare carriage return': `${PUT}X: y\rContent-Length: 0\r\n\r\n${SMUGGLED}`,
  'a chunk size that is none': `${PUT}Transfer-Encoding: chunked\r\n\r\nzz\r\n${SMUGGLED}`,
  'a NUL in a header': `${GET}Host: x\r\nX: a\0b\r\n\r\n${SMUGGLED}`,
  'no host': `${GET}\r\n`,
}

/** Everything that comes until the server closes the connection. */
function exchange(app: App, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1')
    const timer = setTimeout(() => reject(new Error('the connection stays open')), 15_000)
    let all = ''
    socket.on('data', (chunk) => {
      all += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(all)
    })
    socket.end(text, 'latin1')
  })
}

test('requests that can be read in two ways are refused, and nothing behind them is served', async (t) => {
  const app = await startApp(t)
  assert.equal((await app.publish(crateFile())).status, 200)
  const before = await app.stored()
  for (const [what, text] of Object.entries(AMBIGUOUS)) {
    const answer = await exchange(app, text)
    const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status))
    assert.equal(statuses.length, 1, `${what}: ${answer}`)
    assert.ok([400, 411].includes(statuses[0] ?? 0), `${what}: ${answer}`)
    assert.match(answer, /^Connection: close\r$/m, what)
    assert.doesNotMatch(answer, /"ok":true/, what)
    assert.deepEqual(await app.stored(), before, what)
  }
})

test('a length of gigabytes that the parts do not have is refused at once', async (t) => {
  const app = await startApp(t)
  const answer = await exchange(app, `${PUT}Content-Length: 2147483648\r\n\r\n\x02\0\0\0{}`)
  assert.match(answer, /^HTTP\/1\.1 400 /)
})

test('more than one host is refused, whichever of them a proxy went by', async (t) => {
  const app = await startApp(t)
  for (const second of ['Host: y', 'Host: x', 'hOST: y', 'Host: y\r\nHost: z']) {
    const answer = await exchange(app, `${GET}Host: x\r\n${second}\r\nConnection: close\r\n\r\n`)
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/, second)
    assert.match(
      answer,
      /\{"errors":\[\{"detail":"there are [23] `Host` headers: send exactly one"\}\]\}$/,
      second,
    )
  }
  // The name of a header may be the value of another.
  const answer = await exchange(app, `${GET}X: host\r\nHost: x\r\nConnection: close\r\n\r\n`)
  assert.match(answer, /^HTTP\/1\.1 200 /)
})

/** A client's own idea of where we are. */
const SPOOFED: Readonly<Record<string, string>> = {
  host: 'evil.example',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'gopher',
  'x-forwarded-server': 'evil.example',
  'x-forwarded-port': '666',
  'x-forwarded-prefix': '/evil',
  'x-original-url': '/evil',
  'x-rewrite-url': '/evil',
  forwarded: 'host=evil.example;proto=gopher',
}

test('no answer repeats the host or prefix that a client claims', async (t) => {
  const app = await startApp(t)
  assert.equal((await app.publish(crateFile())).status, 200)
  const lines = Object.entries(SPOOFED).map(([name, value]) => `${name}: ${value}\r\n`)
  for (const path of [
    '/config.json',
    '',
    '/me',
    '/info/refs',
    '/3/f/foo',
    '/nowhere',
    '/-/',
    '/-/crates/foo',
  ]) {
    const answer = await exchange(
      app,
      `GET /cargo${path} HTTP/1.1\r\n${lines.join('')}Connection: close\r\n\r\n`,
    )
    assert.doesNotMatch(answer, /evil|gopher|666/, path)
  }
  const refused = `PUT /cargo/api/v1/crates/new HTTP/1.1\r\n${lines.join('')}Connection: close\r\n\r\n`
  const answer = await exchange(app, refused)
  assert.match(answer, /WWW-Authenticate: Cargo login_url="http:\/\/127\.0\.0\.1:\d+\/cargo\/me"/)
  assert.doesNotMatch(answer, /evil|gopher/)
})
