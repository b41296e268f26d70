import type { EventEmitter } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import {
  constants,
  createSecureServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo, Server, Socket } from 'node:net'
import { answerH2c, HTTP2_LIMITS } from '../hosts/h2c.ts'
import { answerContinue } from '../hosts/koa.ts'
import { ConfigError } from './config.ts'
import type { Front } from './front.ts'
import { type ListenAddress, renderListen } from './listen.ts'
import { answerPlainly } from './plain/connections.ts'
import type { KeyPair } from './tls.ts'

/** In milliseconds. */
export interface Timeouts {
  /** Longest wait for the head of a request, and for a TLS handshake. */
  readonly header: number
  /** How long a connection waits for its next request. */
  readonly keepAlive: number
  /** A connection or HTTP/2 stream on which nothing moves for so long is closed. */
  readonly idle: number
}

/** The largest crate over a slow line, in milliseconds; that its bytes keep coming is the plugin's business. */
const REQUEST_MS = 60 * 60_000

/** Connections that are late are looked for at least this often, in milliseconds. */
const LOOK_EVERY_MS = 10_000

/** Connections that became idle are looked for this often while stopping. */
const SWEEP_MS = 50

/** As much as http and http2 servers have in common. */
type NodeServer = Server & { closeIdleConnections?(): void; setTimeout(ms: number): unknown }

/** An open port. */
export interface Listener {
  /** The port in use. */
  readonly port: number
  /** Takes no more connections and waits for the running requests, at most `graceMs`; then cuts them off. */
  close(graceMs: number): Promise<void>
}

/** What is spoken where a server listens. */
export interface Speech {
  /** For https with HTTP/2 and HTTP/1.1; without it http. */
  readonly keyPair: KeyPair | undefined
  /** Whether clients of plain http that offer `Upgrade: h2c` get HTTP/2. */
  readonly h2c: boolean
}

/**
 * Listens for http or https.
 * @throws {ConfigError} naming `listen` when the address cannot be used
 */
export async function openListener(
  address: ListenAddress,
  speech: Speech,
  timeouts: Timeouts,
  front: Front,
): Promise<Listener> {
  const server = createNodeServer(speech, timeouts, front)
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

function createNodeServer(
  { keyPair, h2c }: Speech,
  { header, keepAlive, idle }: Timeouts,
  { listener, plain }: Front,
): NodeServer {
  const checks = { connectionsCheckingInterval: Math.min(LOOK_EVERY_MS, header / 2) }
  // The compatibility API has the shape of http's, and Koa takes either.
  const either = listener as never
  const own = { headersTimeout: header, keepAliveTimeout: keepAlive, requestTimeout: REQUEST_MS }
  const attend = (server: NodeServer | Http2Server) => {
    server.setTimeout(idle)
    endUnread(server, idle)
    answerContinue(server, listener)
  }
  if (keyPair !== undefined) {
    const tls = { ...keyPair, ...HTTP2_LIMITS, ...checks, handshakeTimeout: header, allowHTTP1: true }
    // The types know `own` of http servers only; the HTTP/1.1 side of an http2 server has them too.
    const server = Object.assign(createSecureServer(tls, either), own)
    attend(server)
    return server
  }
  // Most requests have no body: a stream for each of them is a tenth of the work. Older versions of Node ignore it.
  const server = Object.assign(createHttpServer({ ...checks, optimizeEmptyRequests: true }, listener), own)
  attend(server)
  if (h2c) attend(answerH2c(server, either, { openingTimeout: header }))
  if (plain !== undefined) answerPlainly(server, plain, { header, keepAlive, idle })
  return server
}

/** Ends HTTP/2 streams that nobody reads: node takes them for busy as long as other streams of their session are. */
function endUnread(server: EventEmitter, idle: number): void {
  const streams = track<ServerHttp2Stream>(server, 'stream')
  /** Those that were waiting for their reader when they were last looked at, and have been ever since. */
  const waiting = new Set<ServerHttp2Stream>()
  const look = setInterval(() => {
    for (const stream of waiting) stream.close(constants.NGHTTP2_CANCEL)
    waiting.clear()
    for (const stream of streams) {
      if (!stream.writableNeedDrain || stream.closed) continue
      waiting.add(stream)
      stream.once('drain', () => waiting.delete(stream))
    }
  }, idle)
  look.unref()
  server.once('close', () => clearInterval(look))
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
