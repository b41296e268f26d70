import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { HostRequest } from '../../host.ts'
import { type Closing, createClosing, PlainAnswer } from './answer.ts'
import { type PlainRequest, readPlainRequest } from './request.ts'

/** A client may send its next request so many milliseconds after it was told to have no more time. */
const LATE_MS = 1_000
/** Connections that have waited too long are looked for this often, in milliseconds. */
const LOOK_EVERY_MS = 1_000

const TOO_LATE = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'

export interface PlainListener {
  /** Answers a request if it can; `false`: it did nothing. The answer may end later. */
  answer(req: HostRequest, res: PlainAnswer): boolean | Promise<boolean>
  /** What node:http reads next on the connection is this request, which was not answered. */
  leave(socket: Socket, req: HostRequest): void
}

export interface PlainTimeouts {
  /** Longest wait for the first request of a connection, in milliseconds. */
  readonly header: number
  /** Longest wait for the next one. */
  readonly keepAlive: number
  /** An answer that nobody reads is given up after so many milliseconds, or a second more. */
  readonly idle: number
}

/** What all connections share. */
interface Shared {
  readonly listener: PlainListener
  readonly timeouts: PlainTimeouts
  readonly closing: Closing
  /** Makes it a connection of node:http. */
  give(socket: Socket): void
}

interface Connection {
  readonly isIdle: boolean
  /** Ends it if it has waited too long for a request, and sees to it that an answer does not take for ever. */
  look(now: number): void
  destroy(): void
}

/**
 * Answers what the listener can on connections to an http server, as long as all that comes is plain requests, each in
 * one piece. At the first other one, or the first that the listener leaves, the connection is given to node:http with
 * all that came, and stays there. The server's own methods close these connections, too.
 *
 * Why: to read a request and to keep its answer in order costs node:http as much as all that a read from memory does
 * (`npm run bench`, against bare Node); a client or proxy that asks for index files needs neither.
 */
export function answerPlainly(server: Server, listener: PlainListener, timeouts: PlainTimeouts): void {
  const [attend] = server.listeners('connection')
  if (attend === undefined) throw new Error('the server does not attend to connections')
  server.off('connection', attend as () => void)
  const open = new Set<Connection>()
  const shared: Shared = {
    ...{ listener, timeouts, closing: createClosing(timeouts.keepAlive) },
    give(socket) {
      attend.call(server, socket)
      socket.resume()
    },
  }
  server.on('connection', (socket: Socket) => {
    const connection = connect(socket, shared, () => open.delete(connection))
    open.add(connection)
  })
  const { header, keepAlive, idle } = timeouts
  const looking = setInterval(
    () => {
      const now = performance.now()
      for (const connection of open) connection.look(now)
    },
    Math.min(LOOK_EVERY_MS, header / 2, keepAlive / 2, idle / 2),
  )
  looking.unref()
  server.once('close', () => clearInterval(looking))
  const { closeIdleConnections, closeAllConnections } = server
  server.closeIdleConnections = () => {
    closeIdleConnections.call(server)
    for (const connection of open) if (connection.isIdle) connection.destroy()
  }
  server.closeAllConnections = () => {
    closeAllConnections.call(server)
    for (const connection of open) connection.destroy()
  }
}

function connect(socket: Socket, shared: Shared, left: () => void): Connection {
  const { timeouts } = shared
  let answering: PlainAnswer | undefined
  /** When it was first seen waiting for a request. */
  let since: number | undefined = performance.now()
  let isNew = true
  /** Whether its answer is given up when nothing moves. */
  let isWatched = false
  let hasEnded = false
  /** What came while an answer was on its way. */
  let held: Buffer | undefined
  let before: PlainRequest | undefined

  function take(bytes: Buffer): void {
    if (answering === undefined) {
      before = readPlainRequest(bytes, before)
      if (before === undefined) give(bytes)
      else answer(requestOf(socket, before), bytes)
      return
    }
    held = held === undefined ? bytes : Buffer.concat([held, bytes])
    socket.pause()
  }

  function answer(req: HostRequest, bytes: Buffer): void {
    const res = new PlainAnswer(socket, shared.closing)
    isNew = false
    since = undefined
    answering = res
    res.on('finish', goOn)
    const settle = (isAnswered: boolean) => isAnswered || give(bytes, req)
    const answered = shared.listener.answer(req, res)
    if (typeof answered === 'boolean') settle(answered)
    else answered.then(settle, () => socket.destroy())
  }

  function goOn(): void {
    answering = undefined
    watch(false)
    const next = held
    held = undefined
    if (next !== undefined) take(next)
    else if (hasEnded) socket.end()
    if (socket.isPaused()) socket.resume()
  }

  function give(bytes: Buffer, asked?: HostRequest): void {
    if (socket.destroyed) return
    // Node too ends a connection whose client does not wait for the answer.
    if (hasEnded) return void socket.destroy()
    leave()
    watch(false)
    socket.pause()
    socket.unshift(held === undefined ? bytes : Buffer.concat([bytes, held]))
    if (asked !== undefined) shared.listener.leave(socket, asked)
    shared.give(socket)
  }

  function timeout(): void {
    socket.destroy()
  }

  function end(): void {
    hasEnded = true
    if (answering === undefined) socket.end()
  }

  function close(): void {
    leave()
    answering?.closed()
  }

  /** Only what takes long: to start a timer again for all that moves would be a twentieth of a short answer. */
  function watch(is: boolean): void {
    if (is !== isWatched) socket.setTimeout(is ? timeouts.idle : 0)
    isWatched = is
  }

  function leave(): void {
    socket.off('data', take).off('end', end).off('timeout', timeout).off('close', close).off('error', ignore)
    left()
  }

  socket.on('data', take).on('end', end).on('timeout', timeout).on('close', close).on('error', ignore)
  return {
    get isIdle() {
      return answering === undefined
    },
    look(now) {
      if (answering !== undefined) return watch(true)
      since ??= now
      if (isNew && now - since > timeouts.header) socket.end(TOO_LATE, () => socket.destroy())
      else if (!isNew && now - since > timeouts.keepAlive + LATE_MS) socket.destroy()
    },
    destroy: () => socket.destroy(),
  }
}

/** Without what node:http makes of each request, a stream above all: that takes as long as to read it. */
function requestOf(socket: Socket, { method, url, headers }: PlainRequest): HostRequest {
  return { method, url, headers, socket }
}

/** Its end is heard of all the same. */
function ignore(): void {}
