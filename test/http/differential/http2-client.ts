import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { type Ask, OF_THE_REQUEST, type RawAnswer, type RawRequest } from './raw-answer.ts'

/** Streams at once: as many as the server takes. */
const PARALLEL = 64
/** Of a connection, which a `host` header would contradict. */
const NOT_OF_HTTP2 = new Set(['connection'])

/** Sends requests over one HTTP/2 connection; `:path` is what the test wants it to be. */
export function http2Client(origin: string, ca: Buffer): Ask & { close(): void } {
  const session = connect(origin, { ca })
  const ask: Ask = async (requests) => {
    const answers: RawAnswer[] = []
    const queue = requests.map((request, nth) => ({ request, nth })).reverse()
    const worker = async () => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop())
        answers[next.nth] = await exchange(session, next.request)
    }
    await Promise.all(Array.from({ length: PARALLEL }, worker))
    return answers
  }
  return Object.assign(ask, { close: () => session.close() })
}

function exchange(session: ClientHttp2Session, request: RawRequest): Promise<RawAnswer> {
  const { method, target, headers, body } = request
  const kept = Object.entries(headers).filter(([name]) => !NOT_OF_HTTP2.has(name))
  const length = body === undefined ? {} : { 'content-length': body.length }
  const stream = session.request(
    { ':method': method, ':path': target, ...Object.fromEntries(kept), ...length },
    { endStream: body === undefined },
  )
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let status = 0
    let head = ''
    stream.on('response', (received) => {
      status = Number(received[':status'])
      head = Object.entries(received)
        .filter(([name]) => !name.startsWith(':') && !OF_THE_REQUEST.has(name))
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n')
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', (error) => {
      // What is no path at all is refused before anything of ours sees it.
      if (stream.rstCode !== constants.NGHTTP2_PROTOCOL_ERROR) return reject(error)
      status = 400
    })
    stream.on('close', () => resolve({ status, head, body: Buffer.concat(chunks).toString('latin1') }))
    if (body !== undefined) stream.end(body)
  })
}
