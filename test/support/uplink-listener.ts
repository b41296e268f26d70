import { createServer, type RequestListener } from 'node:http'
import { createSecureServer, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Certificate } from './certificate.ts'
import type { UplinkRequest, UplinkResponse } from './uplink-faults.ts'

/** Handlers that take minutes are part of what is tested. */
const NO_TIMEOUT = 0

export interface UplinkListener {
  readonly port: number
  /** Connections that are open. */
  connections(): number
  /** When the connection of a request was made, on the clock of `performance.now()`. */
  connectedAt(request: UplinkRequest): number
  close(): Promise<void>
}

/** Listens on loopback: in the clear, or with a certificate for HTTP/2 and HTTP/1.1 by ALPN. */
export async function listenUplink(
  handle: (request: UplinkRequest, response: UplinkResponse) => void,
  { port, certificate }: { readonly port: number; readonly certificate?: Certificate },
): Promise<UplinkListener> {
  const sockets = new Map<Socket, number>()
  const sessions = new Set<ServerHttp2Session>()
  const server = certificate === undefined ? clear(handle) : secure(handle, certificate, sessions)
  server.on('connection', (socket) => {
    sockets.set(socket, performance.now())
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.size,
    connectedAt: ({ socket }) => {
      // Over TLS the request has another socket than the connection; their ports tell that they belong together.
      for (const [raw, at] of sockets) if (raw.remotePort === socket.remotePort) return at
      return 0
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const session of sessions) session.destroy()
      for (const socket of sockets.keys()) socket.destroy()
      await closed
    },
  }
}

function clear(handle: (request: UplinkRequest, response: UplinkResponse) => void): Server {
  const server = createServer({ keepAliveTimeout: 60_000 }, handle as RequestListener)
  server.requestTimeout = NO_TIMEOUT
  return server
}

function secure(
  handle: (request: UplinkRequest, response: UplinkResponse) => void,
  { cert, key }: Certificate,
  sessions: Set<ServerHttp2Session>,
): Server {
  const server = createSecureServer({ allowHTTP1: true, maxSessionMemory: 256, cert, key }, handle)
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
    session.on('error', () => {})
  })
  server.on('tlsClientError', () => {})
  server.on('sessionError', () => {})
  return server
}
