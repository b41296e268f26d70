// What the parts of an answer from memory cost, in processor time and without the kernel: `node test/bench/front.ts`.
// What Node itself needs for the like stands beside them; `npm run bench` measures the whole with sockets and load.
import { createServer, IncomingMessage, ServerResponse } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import Koa from 'koa'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { createAuth } from '../../src/hosts/auth.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import { cargo } from '../../src/plugin.ts'
import { indexPath } from '../../src/protocol/name.ts'
import { createClientAddress } from '../../src/server/client-address.ts'
import { createRequestLog, createTimestamp, gathered } from '../../src/server/logger.ts'
import { readPlainRequest } from '../../src/server/plain/request.ts'
import { createVisitLog } from '../../src/server/request-log.ts'
import { createVisits, requestFields, workFor } from '../../src/server/visit.ts'
import { publishBody } from '../support/crate-file.ts'
import { FIRST_VERSION, readCrate } from './crates.ts'
import { median } from './rows.ts'
import { upload } from './uploads.ts'

const ROUNDS = 15
const TIMES = 20_000
const NAME = 'bench-crate'
const MOUNT = '/cargo'
const LOGIN = { authorization: 'token-of-the-benchmark' }
const INDEX = `${MOUNT}/${indexPath(NAME)}`
const DOWNLOAD = `${MOUNT}/api/v1/crates/${NAME}/${FIRST_VERSION}/download`
const ABSENT = `${MOUNT}/${indexPath('not-there')}`

const PLAIN = Buffer.from(
  `GET ${INDEX} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nAccept-Encoding: deflate, gzip\r\nAuthorization: ${LOGIN.authorization}\r\nIf-None-Match: "33b37f0a0c4e7059edb362faa0893e12"\r\nUser-Agent: cargo/1.95.0\r\n\r\n`,
)

const metrics = new Registry()
const plugin = cargo(
  {
    auth: createAuth({ staticTokens: [{ token: LOGIN.authorization, user: 'bench' }] }),
    storage: memoryStorage(),
    metrics,
  },
  { rate_limits: { publish: false }, packages: { '**': { access: 'bench', publish: 'bench' } } },
)
const socket = new Socket()
const visits = createVisits(createClientAddress([]))
const timestamp = createTimestamp(Date.now)
const lines = gathered(() => {})
const logger = pino({ base: null, timestamp, mixin: requestFields }, lines)
const log = createVisitLog(logger, createRequestLog(lines, timestamp))
const logByPino = createVisitLog(logger, (fields) => logger.info(fields, 'request'))
const { answered } = createMetrics(metrics)
const body = Buffer.alloc(30_000, 'a')

await fill()
await row('Node: a request, and 30 KB with a head', () => {
  const { res } = exchange(INDEX)
  res.writeHead(200, { ETag: '"tag"', 'Content-Type': 'text/plain', 'Content-Length': body.length })
  res.end(body)
})
await row('a plain request, without Node', () => readPlainRequest(PLAIN))
const before = readPlainRequest(PLAIN)
await row('the same, after one like it', () => readPlainRequest(PLAIN, before))
await row('Node: a request; its id and address', () => visit(INDEX))
await row('the same, with whatever is done for it marked', () => workFor(visit(INDEX), () => {}))
await row('the same, with a line in the log', () => {
  const one = visit(INDEX)
  log(one)
  one.res.emit('close')
})
await row('the same, with a line by pino', () => {
  const one = visit(INDEX)
  logByPino(one)
  one.res.emit('close')
})
await row('its metrics', () =>
  answered({ route: '/:first/:second/:name', method: 'GET', status: 200, seconds: 0.0001 }),
)
await row('an index file, but for the log', () => ask(INDEX))
await row('an index file that the client has', () => ask(INDEX, { 'if-none-match': '*' }))
await row('an index file that is nowhere', () => ask(ABSENT))
await row('a `.crate` file', () => ask(DOWNLOAD))
await plugin.close()

function exchange(url: string, headers: Readonly<Record<string, string>> = {}) {
  const req = new IncomingMessage(socket)
  Object.assign(req, { method: 'GET', url, httpVersionMajor: 1, httpVersionMinor: 1 })
  Object.assign(req.headers, { host: '127.0.0.1', ...LOGIN, ...headers })
  return { req, res: new ServerResponse(req) }
}

function visit(url: string, headers?: Readonly<Record<string, string>>) {
  const { req, res } = exchange(url, headers)
  return Object.assign(visits.of(req, res), { res })
}

async function ask(url: string, headers?: Readonly<Record<string, string>>): Promise<void> {
  if ((await plugin.atOnce?.(visit(url, headers))) === undefined) throw new Error(`${url} was not answered`)
}

async function row(name: string, work: () => unknown): Promise<void> {
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    for (let i = 0; i < TIMES; i++) await work()
    const { user, system } = process.cpuUsage(before)
    rounds.push((user + system) / TIMES)
  }
  process.stdout.write(`${median(rounds).toFixed(2).padStart(6)} µs  ${name}\n`)
}

/** Publishes the crate, and asks for what is then in memory. */
async function fill(): Promise<void> {
  const server = createServer(new Koa().use(plugin).callback())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const publish = (crate: ReturnType<typeof readCrate>[number]) => ({
    url: `${url}${MOUNT}/api/v1/crates/new`,
    headers: LOGIN,
    body: Buffer.from(publishBody(crate)),
  })
  await upload(readCrate(NAME).map(publish))
  for (const path of [INDEX, DOWNLOAD, ABSENT, INDEX, DOWNLOAD, ABSENT])
    await (await fetch(url + path, { headers: LOGIN })).arrayBuffer()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}
