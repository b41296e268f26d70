import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Http2Server } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerH2c, type H2cOptions } from '../../src/hosts/h2c.ts'
import { type H2cRequest, upgradeH2c } from '../support/h2c-client.ts'

interface Started {
  readonly port: number
  readonly server: Server
  readonly http2: Http2Server
}

interface StartSpec extends H2cOptions {
  /** Hides what older versions of Node do not have. */
  readonly old?: boolean
  before?(server: Server): void
}

type Request = Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'httpVersion'> & AsyncIterable<Buffer>

/** Tells what it was asked, later when that is `/slow`. */
async function listener(incoming: Request, response: Pick<ServerResponse, 'end'>): Promise<void> {
  const { method, url, headers, httpVersion } = incoming
  const body = await text(incoming)
  if (url === '/slow') await sleep(150)
  const host = headers.host ?? headers[':authority']
  response.end(`${httpVersion} ${method} ${url} ${host} ${headers['x-a']} ${headers.authorization} ${body}`)
}

/** A server on plain http that takes the upgrade. */
export async function start(
  t: TestContext,
  { old = false, before, ...options }: StartSpec = {},
): Promise<Started> {
  const server = createServer(listener)
  before?.(server)
  const seen = old ? new Proxy(server, { has: () => false }) : server
  const http2 = answerH2c(seen, listener as never, options)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { server, http2, port: (server.address() as AddressInfo).port }
}

/** The body of an answer over HTTP/2 to a request that asks for an upgrade. */
export async function ask(port: number, asked: H2cRequest): Promise<string> {
  const { session, first } = await upgradeH2c(port, asked)
  const body = await text(first)
  session.close()
  return body
}

/** Everything that comes over a connection for these bytes, until it is closed or nothing more comes. */
export async function raw(port: number, ...pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  const closed = once(socket, 'close')
  let got = ''
  socket.on('data', (chunk) => {
    got += chunk.toString('latin1')
  })
  for (const piece of pieces) {
    socket.write(piece)
    await sleep(20)
  }
  const quiet = async () => {
    for (let before = -1; got === '' || got.length > before; await sleep(100)) before = got.length
  }
  await Promise.race([closed, quiet()])
  socket.destroy()
  return got
}
