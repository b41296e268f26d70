import type { EventEmitter } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createSecureServer, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo, Server, Socket } from 'node:net'
import { answerContinue } from '../hosts/koa.ts'
import { ConfigError } from './config.ts'
import { type ListenAddress, renderListen } from './listen.ts'
import type { KeyPair } from './tls.ts'

/** Milliseconds. */
const TIMEOUTS = {
  /** Longer than the idle time of usual proxies, so that they are the ones to hang up. */
  keepAliveTimeout: 75_000,
  headersTimeout: 60_000,
  /** The largest crate over a slow line. */
  requestTimeout: 10 * 60_000,
} as const

/**
 * Cargo asks for a whole graph at once, over one connection. A hundred crates at a time keep any line busy, the others
 * wait at the client; node's own 10 MB for what waits to be sent would refuse them.
 */
const HTTP2 = { settings: { maxConcurrentStreams: 100 }, maxSessionMemory: 256 } as const

/** A connection on which nothing moves is closed after this many milliseconds. */
const IDLE_MS = 120_000

/** Connections that became idle are looked for this often while stopping. */
const SWEEP_MS = 50

/** As much as http and http2 servers have in common. */
type NodeServer = Server & { closeIdleConnections?(): void }

type RequestListener = (request: IncomingMessage, response: ServerResponse) => unknown

/** An open port. */
export interface Listener {
  /** The port in use. */
  readonly port: number
  /** Takes no more connections and waits for the running requests, at most `graceMs`; then cuts them off. */
  close(graceMs: number): Promise<void>
}

/**
 * Listens for http, or with a key pair for https with HTTP/2 and HTTP/1.1.
 * @throws {ConfigError} naming `listen` when the address cannot be used
 */
export async function openListener(
  address: ListenAddress,
  keyPair: KeyPair | undefined,
  listener: RequestListener,
): Promise<Listener> {
  const server = createNodeServer(keyPair, listener)
  const sockets = track<Socket>(server, 'connection')
  const sessions = track<ServerHttp2Session>(server, 'session')
  await bind(server, address)
  const { port } = server.address() as AddressInfo
  return { port, close: (graceMs) => closeServer(server, { sockets, sessions }, graceMs) }
}

/** What a server has open of a kind: each is announced by an event and closes some time. */
function track<T extends EventEmitter>(server: EventEmitter, event: string): ReadonlySet<T> {
  const open = new Set<T>()
  server.on(event, (item: T) => {
    open.add(item)
    item.once('close', () => open.delete(item))
  })
  return open
}

function createNodeServer(keyPair: KeyPair | undefined, listener: RequestListener) {
  const server =
    keyPair === undefined
      ? createHttpServer(listener)
      : // The compatibility API has the shape of http's, and Koa takes either.
        createSecureServer({ ...keyPair, ...HTTP2, allowHTTP1: true }, listener as never)
  // The types know these of http servers only; the HTTP/1.1 side of an http2 server has them too.
  Object.assign(server, TIMEOUTS)
  server.setTimeout(IDLE_MS)
  answerContinue(server, listener)
  return server
}

function bind(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'EADDRINUSE' ? 'the port is in use' : cause.message
      reject(
        new ConfigError([`\`listen\`: cannot listen on ${renderListen({ host, port })}: ${reason}`], {
          cause,
        }),
      )
    }
    server.once('error', refused)
    server.listen({ host, port }, () => {
      server.off('error', refused)
      resolve()
    })
  })
}

interface OpenConnections {
  readonly sockets: ReadonlySet<Socket>
  readonly sessions: ReadonlySet<ServerHttp2Session>
}

async function closeServer(
  server: NodeServer,
  { sockets, sessions }: OpenConnections,
  graceMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // Older versions of Node leave them open; they finish their streams first.
  for (const session of sessions) session.close()
  const sweep = setInterval(() => closeIdle(server, sockets), SWEEP_MS)
  const cut = setTimeout(() => {
    for (const socket of sockets) socket.destroy()
  }, graceMs)
  await closed
  clearInterval(sweep)
  clearTimeout(cut)
}

/** Node takes a connection that has sent nothing yet for a busy one. */
function closeIdle(server: NodeServer, sockets: ReadonlySet<Socket>): void {
  server.closeIdleConnections?.()
  for (const socket of sockets) {
    if (socket.bytesRead === 0) socket.destroy()
  }
}
