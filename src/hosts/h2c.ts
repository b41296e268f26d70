import type { IncomingMessage, Server } from 'node:http'
import {
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import type { Socket } from 'node:net'
import { divertH2c } from './h2c/divert.ts'
import { encodeOpening, encodeRefusal, parseOpening } from './h2c/frames.ts'
import { readOffer } from './h2c/offer.ts'

/**
 * Cargo asks for a whole graph at once, over one connection. A hundred crates at a time keep any line busy, the others
 * wait at the client; node's own 10 MB for what waits to be sent would refuse them.
 */
export const HTTP2_LIMITS = { settings: { maxConcurrentStreams: 100 }, maxSessionMemory: 256 } as const

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'
/** How long a client may take from its offer to its first frame, in milliseconds. */
const OPENING_MS = 60_000

export interface H2cOptions {
  /** Longest wait for a client that was told to go on over HTTP/2, in milliseconds; default: 60 s. */
  readonly openingTimeout?: number
}

/**
 * Goes on over HTTP/2 with clients that offer it on plain http (`Upgrade: h2c`, RFC 7540 section 3.2), as cargo does.
 * What has a body, came through a proxy or is no GET or HEAD is served over HTTP/1.1 as before, and web sockets stay with their
 * listeners; so `passH2c` is not needed. `listener` is the one that `server` has for requests, such as `app.callback()`.
 *
 * Gives back the server of these connections, for its events and `setTimeout`; it ends with `server.close()`.
 * Not for servers that are reached through a proxy: one that passes the upgrade on no longer sees what is asked.
 */
export function answerH2c(
  server: Server,
  listener: (request: Http2ServerRequest, response: Http2ServerResponse) => unknown,
  { openingTimeout = OPENING_MS }: H2cOptions = {},
): Http2Server {
  const http2 = createServer(HTTP2_LIMITS, listener)
  const opening = new Set<Socket>()
  const sessions = new Set<ServerHttp2Session>()
  let closing = false
  http2.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  divertH2c(server, {
    takes: (request) => !closing && readOffer(request) !== undefined,
    take(request, socket, head) {
      opening.add(socket)
      const open = () => {
        opening.delete(socket)
        http2.emit('connection', socket)
      }
      socket.once('close', () => opening.delete(socket))
      upgrade({ request, socket, head, openingTimeout, open })
    },
  })
  beforeClose(server, () => {
    closing = true
    for (const socket of opening) socket.destroy()
    for (const session of sessions) session.close()
  })
  return http2
}

interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Socket
  /** What came behind the request. */
  readonly head: Buffer
  readonly openingTimeout: number
  /** Called when the socket can be read as a connection of HTTP/2. */
  open(): void
}

/**
 * Node can continue no request over HTTP/2, but it can be made to read one: behind the client's first settings, where
 * nothing else of the client may stand yet.
 */
function upgrade({ request, socket, head, openingTimeout, open }: Upgrade): void {
  const offer = readOffer(request)
  if (offer === undefined) return void socket.destroy()
  const late = setTimeout(() => socket.destroy(), openingTimeout)
  let held = head
  const look = () => {
    const found = parseOpening(held)
    if (found === 'partial') return
    clearTimeout(late)
    socket.off('data', take).off('end', leave)
    if (found === 'invalid') return refuse(socket)
    socket.pause()
    socket.unshift(encodeOpening(found, offer.settings, offer.fields))
    open()
  }
  const take = (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    look()
  }
  const leave = () => void socket.destroy()
  socket.on('error', () => {})
  socket.once('end', leave)
  socket.once('close', () => clearTimeout(late))
  socket.setTimeout(0)
  socket.write(SWITCH)
  socket.on('data', take)
  look()
}

/** Says why, and waits no longer for what else may come. */
function refuse(socket: Socket): void {
  socket.resume()
  socket.end(encodeRefusal(), () => socket.destroy())
}

function beforeClose(server: Server, prepare: () => void): void {
  const close = server.close
  server.close = (done) => {
    prepare()
    return close.call(server, done)
  }
}
