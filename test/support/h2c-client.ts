import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** What cargo offers with each request over plain http. */
export const OFFER: Readonly<Record<string, string>> = {
  connection: 'Upgrade, HTTP2-Settings',
  upgrade: 'h2c',
  'http2-settings': 'AAMAAABkAAQAAQAAAAIAAAAA',
}

export interface H2cRequest {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A connection that went on over HTTP/2 with its first request. */
export interface H2cConnection {
  readonly session: ClientHttp2Session
  /** The stream of the request that came with the upgrade. */
  readonly first: ClientHttp2Stream
  readonly socket: Socket
}

/** A request as HTTP/1.1 has it, with cargo's offer. */
export function renderOffer(port: number, { method = 'GET', path, headers = {} }: H2cRequest): Buffer {
  const all = { host: `127.0.0.1:${port}`, ...OFFER, ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1')
}

/**
 * Upgrades a connection, as cargo does, and speaks HTTP/2 over it.
 * @throws {NotUpgradedError} when the server answers over HTTP/1.1
 */
export async function upgradeH2c(port: number, request: H2cRequest): Promise<H2cConnection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.write(renderOffer(port, request))
  const { head, rest } = await readHead(socket)
  if (!head.startsWith('HTTP/1.1 101 ')) {
    socket.destroy()
    throw new NotUpgradedError(head)
  }
  socket.unshift(rest)
  const session = connectHttp2(`http://127.0.0.1:${port}`, {
    createConnection: () => withoutFirstRequest(socket),
    // The server never sees the first request's headers, and would miss what they have put into a table.
    maxDeflateDynamicTableSize: 0,
  })
  const first = session.request({ ':method': request.method ?? 'GET', ':path': request.path })
  return { session, first, socket }
}

/** The server answered over HTTP/1.1. */
export class NotUpgradedError extends Error {
  readonly head: string
  constructor(head: string) {
    super(`not upgraded: ${head}`)
    this.head = head
  }
}

/** The head of an answer over HTTP/1.1, and what came behind it. */
export function readHead(socket: Socket): Promise<{ readonly head: string; readonly rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let got = Buffer.alloc(0)
    const done = () => socket.off('data', take).off('close', closed).pause()
    const closed = () => reject(new Error(`closed after ${JSON.stringify(got.toString('latin1'))}`))
    const take = (chunk: Buffer) => {
      got = Buffer.concat([got, chunk])
      const end = got.indexOf('\r\n\r\n')
      if (end < 0) return
      done()
      resolve({ head: got.toString('latin1', 0, end + 4), rest: got.subarray(end + 4) })
    }
    socket.on('data', take).once('close', closed)
    socket.on('error', () => {})
  })
}

const PREFACE_LENGTH = 24
const FRAME_HEAD = 9
const HEADERS = 1
const UPGRADED_STREAM = 1

/** Node's client sends its first request itself; here it has been sent already. */
function withoutFirstRequest(socket: Socket): Duplex {
  let sent = Buffer.alloc(0)
  let skip = PREFACE_LENGTH
  const line = new Duplex({
    read: () => void socket.resume(),
    write(chunk: Buffer, _, done) {
      sent = Buffer.concat([sent, chunk])
      const out: Buffer[] = []
      for (;;) {
        const length =
          skip > 0 ? skip : sent.length < FRAME_HEAD ? Infinity : FRAME_HEAD + sent.readUIntBE(0, 3)
        if (sent.length < length) break
        const isFirst = skip === 0 && sent[3] === HEADERS && sent.readUInt32BE(5) === UPGRADED_STREAM
        if (!isFirst) out.push(sent.subarray(0, length))
        sent = sent.subarray(length)
        skip = 0
      }
      if (out.length === 0) done()
      else socket.write(Buffer.concat(out), () => done())
    },
    final: (done) => void socket.end(() => done()),
    destroy(_, done) {
      socket.destroy()
      done(null)
    },
  })
  socket.on('data', (chunk: Buffer) => void (line.push(chunk) || socket.pause()))
  socket.once('end', () => line.push(null))
  socket.once('close', () => line.destroy())
  return line
}
