import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import type { z } from 'zod'
import { uplink } from '../../src/options/uplinks.ts'
import { createConnections } from '../../src/uplinks/connections.ts'
import { createEgressGuard } from '../../src/uplinks/egress.ts'
import { createExchange, type Exchange } from '../../src/uplinks/exchange.ts'
import { parseHome } from '../../src/uplinks/home.ts'
import { createUplink, type Uplink, type UplinkDeps } from '../../src/uplinks/uplink.ts'
import type { Certificate } from '../support/certificate.ts'
import { crateFile } from '../support/crate-file.ts'
import { randomBytesFrom, randomFrom } from '../support/random.ts'
import { startUplink, type UplinkSpec } from '../support/uplink.ts'

const NOISE = randomBytesFrom(randomFrom(1), 5000)
export const CONFIG = '/index/config.json'

export type Input = Omit<z.input<typeof uplink>, 'url'>

/** A server that does as `listener` says. */
export interface Server {
  readonly port: number
  /** Without a final slash. */
  readonly origin: string
  readonly requests: readonly IncomingMessage[]
  /** Connections that there ever were, and that are open. */
  readonly accepted: number
  readonly open: number
}

/** Listens until the test is over. */
export async function listen(
  t: TestContext,
  listener: RequestListener,
  { host = '127.0.0.1', certificate }: { readonly host?: string; readonly certificate?: Certificate } = {},
): Promise<Server> {
  const requests: IncomingMessage[] = []
  const sockets = new Set<Socket>()
  let accepted = 0
  const handle: RequestListener = (request, response) => {
    requests.push(request)
    listener(request, response)
  }
  const server = certificate === undefined ? createServer(handle) : createSecureServer(certificate, handle)
  server.on('connection', (socket: Socket) => {
    accepted += 1
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    origin: `${certificate === undefined ? 'http' : 'https'}://${host}:${port}`,
    requests,
    get accepted() {
      return accepted
    },
    get open() {
      return sockets.size
    },
  }
}

/** Requests to the uplink at `url`. */
export function exchangeWith(t: TestContext, url: string, input: Input = {}): Exchange {
  const options = uplink.parse({ url, ...input })
  const home = parseHome(options)
  const guard = createEgressGuard('up', home.base)
  const connections = createConnections(options, guard)
  t.after(() => connections.close())
  return createExchange({ uplink: 'up', home, guard, connections })
}

/** A client of the uplink at `url`, with the real clocks. */
export function clientOf(
  t: TestContext,
  url: string,
  input: Input = {},
  deps: Partial<Omit<UplinkDeps, 'options'>> = {},
): Uplink {
  const client = createUplink({
    name: 'up',
    options: uplink.parse({ url, ...input }),
    offline: false,
    limits: { index: 2 ** 20, proxied: 2 ** 21 },
    now: () => new Date(),
    monotonic: () => performance.now(),
    ...deps,
  })
  t.after(() => client.close())
  return client
}

/** The crate `Foo_Bar`, and an uplink that has it. */
export async function startWithCrate(t: TestContext, spec: UplinkSpec = {}) {
  const file = crateFile('Foo_Bar', '1.0.0').add('Foo_Bar-1.0.0/data', NOISE)
  const server = await startUplink(t, { crates: [file], ...spec })
  const bytes = file.bytes()
  const cksum = createHash('sha256').update(bytes).digest('hex')
  return { server, bytes, download: { name: 'Foo_Bar', version: '1.0.0', cksum } }
}

/** All bytes of a crate. */
export async function crateOf(client: Uplink, download: Parameters<Uplink['crate']>[0]): Promise<Buffer> {
  return buffer((await client.crate(download)).body)
}

/** An index file that is there. */
export async function textOf(client: Uplink, name = 'foo_bar'): Promise<string> {
  const answer = await client.index(name)
  if (answer.kind !== 'changed') throw new Error(`the index file is ${answer.kind}`)
  return answer.body.toString()
}
