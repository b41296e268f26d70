import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:http2'
import { Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { createVisits, requestFields, workFor } from '../../src/server/visit.ts'
import { crateFile } from '../support/crate-file.ts'
import { type SendSpec, startServer, type TestServer, TRANSPORTS } from '../support/server.ts'
import { until } from '../support/until.ts'

const INDEX = '/fo/ob/foobar'
const DOWNLOAD = '/api/v1/crates/foobar/1.0.0/download'
const ABSENT = '/no/wh/nowhere'
const TAGGED = { headers: { 'if-none-match': '*' } }
const ASKED: readonly (readonly [string, SendSpec])[] = [
  ['/config.json', {}],
  [INDEX, {}],
  [INDEX, { method: 'HEAD' }],
  [INDEX, { token: 'ann-token' }],
  [INDEX, { headers: { 'accept-encoding': 'deflate, gzip' } }],
  [INDEX, TAGGED],
  [INDEX, { headers: { 'x-request-id': 'build-42' } }],
  [INDEX, { headers: { 'x-request-id': '"' } }],
  [ABSENT, {}],
  [DOWNLOAD, {}],
  [DOWNLOAD, { method: 'HEAD' }],
  [DOWNLOAD, TAGGED],
  [`${INDEX}?q=secret`, {}],
  [INDEX, { token: 'wrong-token' }],
  [DOWNLOAD, { headers: { range: 'bytes=0-9' } }],
  ['/api/v1/crates/foobar', {}],
]

interface Seen {
  readonly answer: string
  readonly line: Readonly<Record<string, unknown>>
}

for (const transport of TRANSPORTS) {
  test(`over ${transport} what goes past Koa is answered, logged and counted as what does not`, async (t) => {
    const [fast, slow] = await Promise.all(
      [true, false].map(async (fast_path) => {
        const server = await startServer(t, { transport, options: { uplinks: {}, fast_path } })
        await server.seed(crateFile('foobar', '1.0.0'))
        // The second time all of it is in memory.
        await askAll(server)
        return askAll(server)
      }),
    )
    assert.deepEqual(fast?.seen, slow?.seen)
    assert.deepEqual(fast?.metrics, slow?.metrics)
    assert.ok(fast?.metrics.some((line) => line.startsWith('cargo_downloads_total')))
  })
}

test('the request that is logged has the id that was sent back', async (t) => {
  const server = await startServer(t, { options: { uplinks: {} } })
  await server.seed(crateFile('foobar', '1.0.0'))
  for (let i = 0; i < 3; i++) {
    const { headers } = await server.send(INDEX)
    const lines = await lineOf(server, (line) => line['request'] === headers['x-request-id'])
    assert.equal(lines['path'], `/cargo${INDEX}`)
  }
})

async function askAll(server: TestServer) {
  const seen: Seen[] = []
  for (const [path, spec] of ASKED) {
    const id = spec.headers?.['x-request-id'] ?? `ask-${Math.random()}`
    const headers = { ...spec.headers, 'x-request-id': id }
    const { status, headers: got, text } = await server.send(path, { ...spec, headers })
    const sent = String(got['x-request-id'])
    if (id === '"') assert.match(sent, /^[0-9a-f]{24}-[0-9a-z]+$/)
    else assert.equal(sent, id)
    const { request: _, ms, ...line } = await lineOf(server, (one) => one['request'] === sent)
    assert.equal(typeof ms, 'number')
    const answer = JSON.stringify([status, headOf(got), text])
    seen.push({ answer: answer.replaceAll(server.url, 'BASE'), line })
  }
  const { text } = await server.send('/../metrics')
  const metrics = text.split('\n').filter((line) => /^cargo_(requests|downloads|crate_bytes)/.test(line))
  return { seen, metrics: metrics.sort() }
}

function headOf(headers: IncomingHttpHeaders): readonly string[] {
  return Object.entries(headers)
    .filter(([name]) => !['date', 'x-request-id', 'last-modified'].includes(name))
    .map(([name, value]) => `${name}: ${value}`)
    .sort()
}

/** The newest line of the log about a request that is as wanted. */
async function lineOf(
  { log }: TestServer,
  isWanted: (line: Readonly<Record<string, unknown>>) => boolean,
): Promise<Readonly<Record<string, unknown>>> {
  const find = () => {
    const lines = log.map((text) => JSON.parse(text) as Readonly<Record<string, unknown>>)
    return lines.findLast((line) => line['message'] === 'request' && isWanted(line))
  }
  await until(() => find() !== undefined, true)
  return find() ?? {}
}

test('over HTTP/2 what goes past Koa has the same head as what does not', async (t) => {
  const server = await startServer(t, { transport: 'https', options: { uplinks: {} } })
  await server.seed(crateFile('foobar', '1.0.0'))
  const session = connect(new URL(server.url).origin, { ca: await readFile(server.ca ?? '') })
  t.after(() => session.close())
  const ask = async () => {
    const stream = session.request({ ':path': `/cargo${INDEX}`, 'x-request-id': 'build-42' })
    const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders]
    const { date: _, 'x-request-id': id, ...others } = head
    return { id, others, body: (await buffer(stream)).toString() }
  }
  const first = await ask()
  assert.equal(first.id, 'build-42')
  for (let i = 0; i < 3; i++) assert.deepEqual(await ask(), first)
})

test('what is logged of a request does not stick to its next line', () => {
  const req = new IncomingMessage(new Socket())
  const visit = createVisits(() => '').of(req, new ServerResponse(req))
  workFor(visit, () => {
    Object.assign(requestFields(), { err: 'of the first line' })
    assert.deepEqual(requestFields(), { request: visit.request })
  })
  assert.deepEqual(requestFields(), {})
})

test('a wrong credential is tried once, though its request is read twice', async (t) => {
  const login = { rate: '1/h', burst: 1 }
  const server = await startServer(t, { options: { uplinks: {}, rate_limits: { login } } })
  const statuses: number[] = []
  for (let n = 0; n < 52; n++) statuses.push((await server.send(INDEX, { token: 'wrong-token' })).status)
  // Fifty times the limit, for the same one again and again.
  assert.deepEqual(statuses, [...Array<number>(50).fill(401), 429, 429])
})
