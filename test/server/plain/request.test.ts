import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PlainRequest, readPlainRequest } from '../../../src/server/plain/request.ts'

const INDEX = 'GET /cargo/se/rd/serde HTTP/1.1'

function bytesOf(lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** What a server goes by. */
function read(...lines: readonly string[]) {
  return essence(readPlainRequest(bytesOf(lines)))
}

function essence(request: PlainRequest | undefined): Omit<PlainRequest, 'lines'> | undefined {
  if (request === undefined) return undefined
  const { method, url, headers } = request
  return { method, url, headers }
}

test('readPlainRequest() reads what cargo sends, also through a proxy', () => {
  const sent = [
    'Host: crates.example.com',
    'Accept: */*',
    'User-Agent: cargo/1.95.0 (abc 2026-01-01)',
    'cargo-protocol: version=1',
    'accept-encoding: deflate, gzip',
    'If-None-Match: "0123"',
    'authorization: Bearer x=',
    'X-Forwarded-For: 10.0.0.1, 192.0.2.1',
    'Connection: Keep-Alive',
  ]
  assert.deepEqual(read(INDEX, ...sent), {
    method: 'GET',
    url: '/cargo/se/rd/serde',
    headers: {
      host: 'crates.example.com',
      accept: '*/*',
      'user-agent': 'cargo/1.95.0 (abc 2026-01-01)',
      'cargo-protocol': 'version=1',
      'accept-encoding': 'deflate, gzip',
      'if-none-match': '"0123"',
      authorization: 'Bearer x=',
      'x-forwarded-for': '10.0.0.1, 192.0.2.1',
      connection: 'Keep-Alive',
    },
  })
  assert.deepEqual(read('HEAD /?q=a%20b HTTP/1.1', 'Host: x'), {
    method: 'HEAD',
    url: '/?q=a%20b',
    headers: { host: 'x' },
  })
})

/** What may be right, and is left to a whole parser. */
const LEFT: Readonly<Record<string, readonly string[]>> = {
  'another method': ['PUT /cargo HTTP/1.1', 'Host: x'],
  'a method in lower case': ['get / HTTP/1.1', 'Host: x'],
  'another version': ['GET / HTTP/1.0', 'Host: x'],
  'no version': ['GET /', 'Host: x'],
  'a URL with a host': ['GET http://x/ HTTP/1.1', 'Host: x'],
  'a URL with a space': ['GET /a b HTTP/1.1', 'Host: x'],
  'a URL beyond ASCII': ['GET /\xe9 HTTP/1.1', 'Host: x'],
  'two spaces': ['GET  / HTTP/1.1', 'Host: x'],
  'no host': [INDEX, 'Accept: */*'],
  'no header': [INDEX],
  'two hosts': [INDEX, 'Host: x', 'host: y'],
  'the same header twice': [INDEX, 'Host: x', 'If-None-Match: "a"', 'If-None-Match: "b"'],
  'a name that every object has': [INDEX, 'Host: x', 'constructor: x'],
  'a length': [INDEX, 'Host: x', 'Content-Length: 0'],
  'an encoding': [INDEX, 'Host: x', 'Transfer-Encoding: chunked'],
  'an upgrade': [INDEX, 'Host: x', 'Upgrade: h2c'],
  'settings of HTTP/2': [INDEX, 'Host: x', 'HTTP2-Settings: AAMAAABk'],
  'a wish for the connection': [INDEX, 'Host: x', 'Connection: close'],
  'wishes for the connection': [INDEX, 'Host: x', 'Connection: keep-alive, close'],
  'an expectation': [INDEX, 'Host: x', 'Expect: 100-continue'],
  trailers: [INDEX, 'Host: x', 'TE: trailers'],
  'a space before the colon': [INDEX, 'Host: x', 'X : y'],
  'no space behind the colon': [INDEX, 'Host:x'],
  'two spaces behind the colon': [INDEX, 'Host:  x'],
  'a space at the end': [INDEX, 'Host: x '],
  'a tab': [INDEX, 'Host: x', 'X: a\tb'],
  'an empty value': [INDEX, 'Host: x', 'X: '],
  'an empty name': [INDEX, 'Host: x', ': y'],
  'an underscore': [INDEX, 'Host: x', 'content_length: 5'],
  'no colon': [INDEX, 'Host: x', 'X'],
  'a folded header': [INDEX, 'Host: x', 'X: y', ' z'],
  'a NUL': [INDEX, 'Host: x', 'X: a\0b'],
  'a value beyond ASCII': [INDEX, 'Host: x', 'X: \xe9'],
  'a bare line feed': [INDEX, 'Host: x', 'X: a\nY: b'],
  'a bare carriage return': [INDEX, 'Host: x', 'X: a\rY: b'],
  'a second request': [INDEX, 'Host: x', '', INDEX, 'Host: x'],
  'an empty line before it': ['', INDEX, 'Host: x'],
  'more than a piece': [INDEX, 'Host: x', `X: ${'y'.repeat(4096)}`],
}

for (const [what, lines] of Object.entries(LEFT))
  test(`readPlainRequest() leaves ${what} to others`, () => assert.equal(read(...lines), undefined))

test('readPlainRequest() reads the same whatever came before', () => {
  const plain = [
    [INDEX, 'Host: x', 'If-None-Match: "a"'],
    [INDEX, 'Host: x', 'If-None-Match: "b"'],
    ['HEAD / HTTP/1.1', 'Host: x', 'If-None-Match: "a"'],
    [INDEX, 'Host: x', 'if-none-match: "a"'],
    [INDEX, 'If-None-Match: "a"', 'Host: x'],
    [INDEX, 'Host: x'],
    [INDEX, 'Host: x', 'Accept: */*', 'If-None-Match: "a"'],
    [INDEX, 'Host: x', 'Accept: */*', 'Connection: keep-alive'],
    [INDEX, 'Host: xx'],
    [INDEX, 'Host: y', 'User-Agent: cargo'],
    [INDEX, 'Host: y', `User-Agent: ${'cargo'.repeat(300)}`],
  ]
  const all = [...plain, ...Object.values(LEFT)].map(bytesOf)
  for (const lines of plain) {
    const before = readPlainRequest(bytesOf(lines))
    assert.notEqual(before, undefined, String(lines))
    const headers = structuredClone(before?.headers)
    for (const bytes of all)
      assert.deepEqual(essence(readPlainRequest(bytes, before)), essence(readPlainRequest(bytes)))
    assert.deepEqual(before?.headers, headers)
  }
})

test('readPlainRequest() remembers the lines of short requests only: each keeps a whole request in memory', () => {
  const remembered = (...lines: readonly string[]) =>
    readPlainRequest(bytesOf([INDEX, 'Host: x', ...lines]))?.lines.length
  const many = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: some value`)
  assert.equal(remembered('Accept: */*'), 2)
  assert.equal(remembered(...many(23)), 24)
  assert.equal(remembered(...many(24)), 0)
  assert.equal(remembered(`X: ${'y'.repeat(900)}`), 2)
  assert.equal(remembered(`X: ${'y'.repeat(1000)}`), 0)
})

test('readPlainRequest() leaves what is not whole, or more, to others', () => {
  const whole = Buffer.from(`${INDEX}\r\nHost: x\r\n\r\n`)
  assert.notEqual(readPlainRequest(whole), undefined)
  for (let end = 0; end < whole.length; end++)
    assert.equal(readPlainRequest(whole.subarray(0, end)), undefined)
  assert.equal(readPlainRequest(Buffer.concat([whole, Buffer.from('x')])), undefined)
})
