import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { crateFile } from '../../support/crate-file.ts'
import { between, pick, type Random, randomFrom } from '../../support/random.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const CASES = 600
const AT_ONCE = 16
/** What node:http says by itself. */
const MISTAKE = /^HTTP\/1\.1 4\d\d [A-Za-z ]+\r\n\r\nConnection: close\r\n$/
const PATIENCE_MS = 15_000
const SETTINGS = { client_header_timeout: '1s', keepalive_timeout: '1s' }

const URLS = [
  '/cargo/config.json',
  '/cargo/fo/ob/foobar',
  '/cargo/no/wh/nowhere',
  '/cargo/api/v1/crates/foobar/1.0.0/download',
  '/cargo/api/v1/crates/foobar',
  '/cargo/fo/ob/foobar?q=1',
  '/live',
]

const HEADERS = [
  'Accept: */*',
  'User-Agent: cargo/1.95.0',
  'Accept-Encoding: deflate, gzip',
  'If-None-Match: *',
  'If-None-Match: "a"',
  'Authorization: ann-token',
  'Authorization: wrong-token',
  'Range: bytes=0-9',
  'X-Forwarded-For: 192.0.2.1',
]

/** What makes a request another one, or none. */
const ODD = [
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: +1',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding : chunked',
  'Connection: keep-alive',
  'Connection: close',
  'Connection: upgrade',
  'Upgrade: h2c',
  'Expect: 100-continue',
  'TE: trailers',
  'Host: y',
  ' folded',
  'No colon',
  'X: a\nY: b',
  'X: a\rY: b',
  'X: a\0b',
  'X:y',
  'X:  y ',
  'X: \xe9',
  'X: ',
  'constructor: a',
  '__proto__: a',
]

/** A piece of a conversation, as it is written. */
function requestFrom(random: Random): string {
  const headers = ['Host: x']
  for (let n = between(random, 0, 4); n > 0; n--) headers.push(pick(random, HEADERS))
  if (random() < 0.3) headers.splice(between(random, 0, headers.length + 1), 0, pick(random, ODD))
  const line = `${pick(random, ['GET', 'GET', 'GET', 'HEAD', 'PUT', 'get'])} ${pick(random, URLS)} HTTP/1.1`
  const text = `${[line, ...headers].join('\r\n')}\r\n\r\n`
  if (random() > 0.15) return text
  const at = between(random, 0, text.length)
  return (
    text.slice(0, at) +
    pick(random, ['', '\r\n', '\n', ' ', '\0', ':', 'x']) +
    text.slice(at + between(random, 0, 3))
  )
}

/** What a client writes, piece by piece. */
function piecesFrom(random: Random): readonly string[] {
  const requests = Array.from({ length: between(random, 1, 5) }, () => requestFrom(random))
  const last = 'GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
  if (random() < 0.5) return [...requests, last]
  const text = requests.join('') + last
  const cut = between(random, 1, text.length)
  return [text.slice(0, cut), text.slice(cut)]
}

/** All that the server says until it closes, but for what differs each time. */
function converse(server: TestServer, pieces: readonly string[], pauseMs: number): Promise<string[]> {
  const { port } = new URL(server.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1')
    const late = setTimeout(() => reject(new Error(`it stays open: ${JSON.stringify(pieces)}`)), PATIENCE_MS)
    let all = ''
    socket.setEncoding('latin1')
    socket.on('data', (text) => {
      all += text
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(late)
      resolve(normal(all.replaceAll(server.url, 'BASE')).split(/(?=HTTP\/1\.1 \d)/))
    })
    const write = async () => {
      for (const piece of pieces) {
        if (socket.destroyed) return
        socket.write(piece, 'latin1')
        await sleep(pauseMs)
      }
    }
    socket.on('connect', () => void write())
  })
}

/** Without what differs by the time, and with the lines of each head in order: the ways to Koa and past it differ there. */
function normal(all: string): string {
  return all
    .replace(/^(Date|X-Request-Id|Last-Modified): .*(?=\r)/gm, '$1')
    .replace(/"[0-9a-f]{32}(-gzip)?"/g, '"tag"')
    .replace(/"pubtime":"[^"]*"/g, '"pubtime":""')
    .replace(/(HTTP\/1\.1 \d.*\r\n)((?:.+\r\n)+)(?=\r\n)/g, (_, first: string, lines: string) => {
      return first + lines.split('\r\n').sort().join('\r\n')
    })
}

test('what is read without node:http gets the answers that this one gives, and nothing else does', async (t) => {
  const [plain, whole] = await Promise.all(
    [true, false].map(async (fast_path) => {
      const options = { uplinks: {}, fast_path, rate_limits: { login: false } } as const
      const server = await startServer(t, { settings: SETTINGS, options })
      await server.seed(crateFile('foobar', '1.0.0'))
      return server
    }),
  )
  assert.ok(plain && whole)
  const both = (pieces: readonly string[], pauseMs: number) =>
    Promise.all([plain, whole].map((server) => converse(server, pieces, pauseMs)))
  let answers = 0
  const seeds = Array.from({ length: CASES }, (_, seed) => seed)
  const work = async () => {
    for (let seed = seeds.pop(); seed !== undefined; seed = seeds.pop()) {
      const random = randomFrom(seed)
      const pieces = piecesFrom(random)
      const [got = [], wanted = []] = await both(pieces, pick(random, [0, 1, 10]))
      assertAlike(got, wanted, `seed ${seed}: ${JSON.stringify(pieces)}`)
      answers += got.length
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  assert.ok(answers > CASES, String(answers))
})

/** A mistake may be seen before what stands before it is answered: which is first is up to chance. */
function assertAlike(got: readonly string[], wanted: readonly string[], what: string): void {
  const [right, others] = [got, wanted].map((answers) => answers.filter((one) => !MISTAKE.test(one)))
  const hasMistake = [...got, ...wanted].some((one) => MISTAKE.test(one))
  const length = hasMistake ? Math.min(right?.length ?? 0, others?.length ?? 0) : undefined
  assert.deepEqual(right?.slice(0, length), others?.slice(0, length), what)
}
