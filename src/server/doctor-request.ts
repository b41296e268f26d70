import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as plain,
} from 'node:http'
import { request as secure } from 'node:https'
import type { Duplex } from 'node:stream'

/** No answer of a registry to these questions takes so long. */
const TIMEOUT_MS = 10_000
const MAX_BODY = 16 * 1024 * 1024

export interface Question {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** The body that `Expect: 100-continue` announces, in bytes; it is never sent. */
  readonly announced?: number
  /** Gives up the body of the answer. */
  readonly headOnly?: boolean
}

export interface Reply {
  /** 100: the other side wants the announced body; 101: it takes the connection for something else. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/**
 * One request over HTTP/1.1 on a connection of its own. A certificate is not looked at: that is a check by itself.
 * @throws {Error} when there is no answer, with the system's reason
 */
export function ask(url: string, question: Question = {}): Promise<Reply> {
  const { method = 'GET', headers, body, announced } = question
  const length = announced ?? body?.length
  const send = url.startsWith('https:') ? secure : plain
  const request = send(url, {
    ...{ method, agent: false, rejectUnauthorized: false, timeout: TIMEOUT_MS },
    headers: {
      'User-Agent': 'verdaccio-cargo-doctor',
      ...headers,
      ...(length !== undefined && { 'Content-Length': String(length) }),
      ...(announced !== undefined && { Expect: '100-continue' }),
    },
  })
  const reply = replyTo(request, question.headOnly ?? false)
  if (announced === undefined) request.end(body)
  return reply.finally(() => request.destroy())
}

function replyTo(request: ClientRequest, headOnly: boolean): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const head = (status: number, headers: IncomingHttpHeaders) =>
      resolve({ status, headers, body: Buffer.alloc(0) })
    request.once('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)))
    request.on('error', reject)
    request.once('continue', () => head(100, {}))
    request.once('upgrade', ({ headers }: IncomingMessage, socket: Duplex) => {
      socket.destroy()
      head(101, headers)
    })
    request.once('response', (response) => {
      if (headOnly) head(response.statusCode ?? 0, response.headers)
      else readAll(response).then(resolve, reject)
    })
  })
}

async function readAll(response: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY) throw new Error(`an answer of more than ${MAX_BODY} bytes`)
    chunks.push(chunk)
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }
}

/** The JSON of an answer; `undefined` when it is none. */
export function jsonOf({ body }: Reply): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

/** What the registry says is wrong, in cargo's error form; `undefined` when somebody else answered. */
export function errorOf(reply: Reply): string | undefined {
  const { errors } = Object(jsonOf(reply))
  const detail: unknown = Array.isArray(errors) ? Object(errors[0]).detail : undefined
  return typeof detail === 'string' ? detail : undefined
}
