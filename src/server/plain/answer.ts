import { EventEmitter } from 'node:events'
import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http'
import type { Socket } from 'node:net'
import type { Reply } from '../../http/fast/reply.ts'

/** A body of so many bytes is copied behind its head: to send two pieces takes longer, but so does to copy more. */
const MAX_COPIED = 8 * 1024
/** Has no body, whatever its head says. */
const NOT_MODIFIED = 304

/** How heads end: the lines about the connection, with or without those of a body whose length is not known. */
export type Closing = (isChunked: boolean) => string

/** Says that a connection stays open for `keepAliveMs` after each answer, in the words of node:http. */
export function createClosing(keepAliveMs: number): Closing {
  const rest = `\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n`
  let second = Number.NaN
  let text = ''
  return (isChunked) => {
    const now = Math.floor(Date.now() / 1000)
    if (now !== second) text = `Date: ${new Date(now * 1000).toUTCString()}${rest}`
    second = now
    return isChunked ? `${text}Transfer-Encoding: chunked\r\n\r\n` : `${text}\r\n`
  }
}

type Done = (error?: Error | null) => void

/** An answer over HTTP/1.1, on a connection that goes on after it. */
export class PlainAnswer extends EventEmitter implements Reply {
  statusCode = 200
  writableFinished = false
  readonly #socket: Socket
  readonly #closing: Closing
  #head = ''
  #isChunked = false
  #isClosed = false

  constructor(socket: Socket, closing: Closing) {
    super()
    this.#socket = socket
    this.#closing = closing
  }

  get destroyed(): boolean {
    return this.#isClosed || this.#socket.destroyed
  }

  /**
   * Names and values in turns, after the line `first`; a `head` may be shared by many answers. Without a
   * `Content-Length` the body goes out in chunks.
   */
  begin(status: number, first: string, head: readonly string[]): void {
    const { text, isSized } = writtenOf(head)
    this.statusCode = status
    this.#isChunked = !isSized && status !== NOT_MODIFIED
    this.#head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${first}${text}${this.#closing(this.#isChunked)}`
  }

  write(bytes: Buffer, done: Done): void {
    const head = this.#head
    this.#head = ''
    if (this.#isChunked) this.#writeChunk(head, bytes, done)
    else if (head === '') this.#socket.write(bytes, done)
    else this.#writeBoth(head, bytes, done)
  }

  end(body?: Buffer): void {
    const done: Done = (error) => {
      if (!error) this.#finish()
    }
    if (this.#isChunked) {
      if (body?.length) this.write(body, ignore)
      this.#socket.write(`${this.#head}0\r\n\r\n`, 'latin1', done)
    } else if (body !== undefined) this.write(body, done)
    // What is left, if only to hear when all has gone out.
    else this.#socket.write(this.#head, 'latin1', done)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** The connection has ended. */
  closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.emit('close')
  }

  #finish(): void {
    if (this.#isClosed) return
    this.writableFinished = true
    this.emit('finish')
    this.closed()
  }

  #writeBoth(head: string, body: Buffer, done: Done): void {
    const socket = this.#socket
    if (body.length > MAX_COPIED) {
      socket.cork()
      // Two buffers go out as they are; a string among them would have all put together first.
      socket.write(Buffer.from(head, 'latin1'))
      socket.write(body, done)
      socket.uncork()
      return
    }
    const both = Buffer.allocUnsafe(head.length + body.length)
    both.write(head, 0, 'latin1')
    body.copy(both, head.length)
    socket.write(both, done)
  }

  #writeChunk(head: string, bytes: Buffer, done: Done): void {
    const socket = this.#socket
    socket.cork()
    socket.write(`${head}${bytes.length.toString(16)}\r\n`, 'latin1')
    socket.write(bytes)
    socket.write('\r\n', 'latin1', done)
    socket.uncork()
  }
}

/** What goes wrong is told with the last of an answer. */
function ignore(): void {}

interface Written {
  readonly text: string
  readonly isSized: boolean
}

/** Heads are often those of an answer before. */
const known = new WeakMap<readonly string[], Written>()

function writtenOf(head: readonly string[]): Written {
  const before = known.get(head)
  if (before !== undefined) return before
  let text = ''
  for (let i = 0; i < head.length; i += 2) text += headerLine(head[i] ?? '', head[i + 1] ?? '')
  const written = { text, isSized: head.includes('Content-Length') }
  known.set(head, written)
  return written
}

/** @throws {TypeError} for what could end the line early */
function headerLine(name: string, value: string): string {
  validateHeaderName(name)
  validateHeaderValue(name, value)
  return `${name}: ${value}\r\n`
}
