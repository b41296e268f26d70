import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2'
import { NotUpgradedError, OFFER, upgradeH2c } from '../../support/h2c-client.ts'
import { type Ask, OF_THE_REQUEST, type RawAnswer, type RawRequest } from './raw-answer.ts'

/** Streams at once: as many as the server takes. */
const PARALLEL = 64
/** Of a connection, which a `host` header would contradict. */
const NOT_OF_HTTP2 = new Set(['connection'])

/** Sends requests over one HTTP/2 connection; `:path` is what the test wants it to be. */
export function http2Client(session: ClientHttp2Session): Ask {
  return inParallel((request) => exchange(session, request))
}

/** Where an upgrading client sends what it upgrades no connection with. */
export interface OtherWays {
  /** What has a body, or is no GET or HEAD. */
  readonly streams: Ask
  /** What the server answers over HTTP/1.1. */
  readonly plain: Ask
}

/** Sends each GET and HEAD as the request that upgrades a connection of its own, with a server that takes `Upgrade: h2c`. */
export function upgradingClient(port: number, ways: OtherWays): Ask & { upgrades(): number } {
  let upgrades = 0
  const ask = inParallel(async (request) => {
    const { method, target, headers, body } = request
    if (body !== undefined || !['GET', 'HEAD'].includes(method)) return onlyOne(ways.streams, request)
    try {
      const offer = { ...headers, connection: [OFFER['connection'], headers['connection'] ?? ''].join(', ') }
      const { session, first } = await upgradeH2c(port, { method, path: target, headers: offer })
      upgrades += 1
      return await answerOf(first).finally(() => session.close())
    } catch (error) {
      if (error instanceof NotUpgradedError) return onlyOne(ways.plain, request)
      throw error
    }
  })
  return Object.assign(ask, { upgrades: () => upgrades })
}

async function onlyOne(ask: Ask, request: RawRequest): Promise<RawAnswer> {
  const [answer] = await ask([request])
  if (answer === undefined) throw new Error(`no answer to ${request.method} ${request.target}`)
  return answer
}

function inParallel(one: (request: RawRequest) => Promise<RawAnswer>): Ask {
  return async (requests) => {
    const answers: RawAnswer[] = []
    const queue = requests.map((request, nth) => ({ request, nth })).reverse()
    const worker = async () => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop())
        answers[next.nth] = await one(next.request)
    }
    await Promise.all(Array.from({ length: PARALLEL }, worker))
    return answers
  }
}

function exchange(session: ClientHttp2Session, request: RawRequest): Promise<RawAnswer> {
  const { method, target, headers, body } = request
  const kept = Object.entries(headers).filter(([name]) => !NOT_OF_HTTP2.has(name))
  const length = body === undefined ? {} : { 'content-length': body.length }
  const stream = session.request(
    { ':method': method, ':path': target, ...Object.fromEntries(kept), ...length },
    { endStream: body === undefined },
  )
  const answer = answerOf(stream)
  if (body !== undefined) stream.end(body)
  return answer
}

function answerOf(stream: ClientHttp2Stream): Promise<RawAnswer> {
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
  })
}
