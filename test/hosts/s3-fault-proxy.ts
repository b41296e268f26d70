import { once } from 'node:events'
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/** What goes wrong with a request. */
export type Fault =
  /** It never reaches the store; this is the answer, with an S3 error of that name, or whatever body is given. */
  | { readonly kind: 'answer'; readonly status: number; readonly code?: string; readonly body?: string }
  /** The store does it, and nobody hears of that. */
  | { readonly kind: 'lost' }
  /** It never reaches the store, and there is no answer. */
  | { readonly kind: 'silent' }
  /** It reaches the store so many milliseconds later, whoever still waits for it. */
  | { readonly kind: 'late'; readonly ms: number }
  /** Its connection ends in the middle of its body. */
  | { readonly kind: 'cut-request' }
  /** So many bytes of the answer's body, then the connection ends; `reframed`: then the answer ends well. */
  | { readonly kind: 'cut-answer'; readonly bytes: number; readonly reframed?: boolean }
  /** So many bytes of the answer's body, then nothing more. */
  | { readonly kind: 'stuck'; readonly bytes: number }
  /** The answer's body in small pieces with pauses. */
  | { readonly kind: 'slow' }

/** A request, as faults are chosen by. */
export interface ProxiedRequest {
  readonly method: string
  readonly key: string
  readonly query: URLSearchParams
}

/** A proxy in front of an S3 server that does harm. */
export interface FaultProxy {
  readonly url: string
  /** All requests since the last call, in order. */
  take(): readonly ProxiedRequest[]
  /** Decides what happens to the requests from now on. */
  plan(choose: (request: ProxiedRequest) => Fault | undefined): void
  close(): Promise<void>
}

export async function faultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target)
  const seen: ProxiedRequest[] = []
  let choose: (request: ProxiedRequest) => Fault | undefined = () => undefined
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', target)
    const about = { method: request.method ?? '', key: pathname, query: searchParams }
    seen.push(about)
    relay({ hostname, port }, request, response, choose(about)).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => seen.splice(0),
    plan: (chosen) => {
      choose = chosen
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function relay(
  target: RequestOptions,
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  if (fault?.kind === 'cut-request') {
    await once(request, 'data')
    response.destroy()
    return
  }
  const body = await buffer(request)
  if (fault?.kind === 'silent') return
  if (fault?.kind === 'answer') {
    const {
      status,
      code = '',
      body: text = `<Error><Code>${code}</Code><Message>made up</Message></Error>`,
    } = fault
    response.writeHead(status, { 'content-type': 'application/xml', 'content-length': text.length }).end(text)
    return
  }
  if (fault?.kind === 'late') await sleep(fault.ms)
  const answer = await forward(target, request, body)
  const bytes = await buffer(answer)
  if (fault?.kind === 'lost') response.destroy()
  else await reply(response, answer, bytes, fault)
}

async function forward(
  target: RequestOptions,
  { method, url: path, headers: received }: IncomingMessage,
  body: Buffer,
): Promise<IncomingMessage> {
  const { connection: _, ...headers } = received
  const outgoing = httpRequest({ ...target, method, path, headers, agent: false }).end(body)
  const [answer] = await once(outgoing, 'response')
  return answer
}

async function reply(
  response: ServerResponse,
  { statusCode = 0, headers }: IncomingMessage,
  bytes: Buffer,
  fault: Fault | undefined,
): Promise<void> {
  const { connection: _, 'transfer-encoding': __, 'content-length': length, ...rest } = headers
  // The answer to a HEAD has a length and no body.
  const framing = { 'content-length': length ?? String(bytes.length) }
  if (fault?.kind === 'cut-answer' && fault.reframed) {
    response
      .writeHead(statusCode, { ...rest, 'transfer-encoding': 'chunked' })
      .end(bytes.subarray(0, fault.bytes))
    return
  }
  response.writeHead(statusCode, { ...rest, ...framing })
  response.flushHeaders()
  if (fault?.kind === 'cut-answer' || fault?.kind === 'stuck') {
    if (fault.bytes > 0) response.write(bytes.subarray(0, fault.bytes))
    await sleep(20)
    if (fault.kind === 'cut-answer') response.destroy()
    return
  }
  if (fault?.kind === 'slow') {
    const step = Math.ceil(bytes.length / 10)
    for (let at = 0; at < bytes.length; at += step) {
      response.write(bytes.subarray(at, at + step))
      await sleep(30)
    }
    response.end()
  } else response.end(bytes)
}
