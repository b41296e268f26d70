import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from './random.ts'
import { faultyAnswer } from './uplink-fault-bodies.ts'

/** Statuses that are modes of their own. */
export type FaultStatus = '204' | '206' | '304' | `40${0 | 1 | 3 | 4}` | '410' | '451' | `50${0 | 2 | 3}`
export type RedirectStatus = '301' | '302' | '303' | '307' | '308'

/** What an uplink does instead of answering rightly; every figure has a default. */
export type FaultMode =
  | { readonly mode: 'ok' }
  /** Answers rightly, `ms` late; default 200. */
  | { readonly mode: 'delay'; readonly ms?: number }
  /** Answers rightly at `bytesPerSecond`; default 10. */
  | { readonly mode: 'drip'; readonly bytesPerSecond?: number }
  /** Takes the request and never answers. */
  | { readonly mode: 'silent' }
  /** Closes the connection without a byte. */
  | { readonly mode: 'hang-up' }
  /** Headers and `byte` bytes of the body, then a reset; default half of them. */
  | { readonly mode: 'reset-at'; readonly byte?: number }
  /** As `reset-at`, but the connection ends in good order. */
  | { readonly mode: 'short-CL'; readonly byte?: number }
  /** The whole body under a Content-Length of `byte`; default half of it. */
  | { readonly mode: 'long-CL'; readonly byte?: number }
  /** Chunked: `byte` bytes and no last chunk; default all of them. */
  | { readonly mode: 'chunk-noend'; readonly byte?: number }
  /** A well-framed answer of the first `at` bytes; default: up to the middle of the last line, or half a crate. */
  | { readonly mode: 'clean-cut'; readonly at?: number }
  /** Bytes after the end, well framed. */
  | { readonly mode: 'extra-bytes' }
  /** One bit is wrong; default anywhere. */
  | { readonly mode: 'flip-byte'; readonly at?: number }
  /** A sound `.crate` file of another crate. */
  | { readonly mode: 'wrong-crate' }
  | { readonly mode: 'html200' | 'empty200' | 'json-error-200' }
  /** `Content-Encoding: gzip` over bytes that are none. */
  | { readonly mode: 'gz-garbage' }
  /** Unpacks to `bytes` blank lines; default 1 GiB. */
  | { readonly mode: 'gz-bomb'; readonly bytes?: number }
  /** Really packed `count` times, and says so; default 50. */
  | { readonly mode: 'n-encodings'; readonly count?: number }
  /** The right body and then blank lines (index) or zeros, `bytes` in all, without Content-Length; default 1 GiB. */
  | { readonly mode: 'huge'; readonly bytes?: number }
  | { readonly mode: FaultStatus }
  /** `retryAfter`: seconds or a date; default 7. */
  | { readonly mode: '429'; readonly retryAfter?: number | string }
  /** Default location: where this uplink has the right answer. */
  | { readonly mode: RedirectStatus; readonly location?: string }
  | { readonly mode: 'redirect-loop' }
  /** Without the last `versions` versions, with an older Last-Modified; default 1. */
  | { readonly mode: 'old-index'; readonly versions?: number }
  /** Without the line at `line`, with a newer Last-Modified; default any. */
  | { readonly mode: 'removed-line'; readonly line?: number }
  | { readonly mode: 'changed-cksum'; readonly line?: number }
  /** A version twice, the second time with another checksum. */
  | { readonly mode: 'dup-line'; readonly line?: number }
  /** All lines name another crate, or with `mixed` one more line does. */
  | { readonly mode: 'foreign-lines'; readonly mixed?: boolean }
  | { readonly mode: 'bom' | 'crlf' | 'no-final-newline' }
  /** The bytes as they are under `Content-Encoding: gzip`, or with `packed` really packed once more. */
  | { readonly mode: 're-encoded'; readonly packed?: boolean }

/** A mode with its figures, or only its name. */
export type Fault = FaultMode | FaultMode['mode']

/** Modes whose answers are right; a conditional request gets its 304 from these only, so that the others are seen. */
export const HONEST: ReadonlySet<FaultMode['mode']> = new Set(['ok', 'delay', 'drip'])

/** A whole answer. */
export interface UplinkAnswer {
  readonly kind: 'index' | 'crate' | 'other'
  readonly status: number
  /** Lower-case names; the length is not among them. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface FaultContext {
  /** What random choices come from. */
  readonly seed: number
  /** The URL that was asked for, and one that has the right answer. */
  readonly url: string
  readonly rightUrl: string
}

export type UplinkRequest = IncomingMessage | Http2ServerRequest
export type UplinkResponse = ServerResponse | Http2ServerResponse

/** Sends what `mode` makes of the right answer; resolves when there is no more to send. */
export async function sendFaulty(
  response: UplinkResponse,
  right: UplinkAnswer,
  mode: FaultMode,
  context: FaultContext,
): Promise<void> {
  switch (mode.mode) {
    case 'ok':
      return sendAnswer(response, right)
    case 'delay':
      await sleep(mode.ms ?? 200)
      return sendAnswer(response, right)
    case 'drip':
      return drip(response, right, mode.bytesPerSecond ?? 10)
    case 'silent':
      return
    case 'hang-up':
      return breakOff(response, 'end')
    case 'reset-at':
      return sendPart(response, right, partOf(right, mode.byte), 'reset')
    case 'short-CL':
      return sendPart(response, right, partOf(right, mode.byte), 'end')
    case 'long-CL':
      begin(response, right.status, headersOf(right, partOf(right, mode.byte)))
      return end(response, right.body)
    case 'chunk-noend':
      begin(response, right.status, right.headers)
      await write(response, right.body.subarray(0, mode.byte ?? right.body.length))
      return breakOff(response, 'end')
    case 'huge':
      return flood(response, right, mode.bytes ?? 2 ** 30)
    default:
      return sendAnswer(response, faultyAnswer(right, mode, { ...context, random: randomFrom(context.seed) }))
  }
}

/** Sends a whole answer. */
export function sendAnswer(response: UplinkResponse, answer: UplinkAnswer): void {
  const bodiless = answer.status === 204 || answer.status === 304
  begin(response, answer.status, bodiless ? answer.headers : headersOf(answer, answer.body.length))
  end(response, bodiless ? Buffer.alloc(0) : answer.body)
}

function headersOf({ headers }: UplinkAnswer, length: number): Record<string, string> {
  return { ...headers, 'content-length': String(length) }
}

function partOf({ body }: UplinkAnswer, byte = Math.floor(body.length / 2)): number {
  return Math.min(byte, body.length)
}

async function sendPart(
  response: UplinkResponse,
  right: UplinkAnswer,
  length: number,
  how: 'end' | 'reset',
): Promise<void> {
  begin(response, right.status, headersOf(right, right.body.length))
  await write(response, right.body.subarray(0, length))
  // Over HTTP/2 the stream ends in good order, short of what was announced.
  if (how === 'end' && 'stream' in response) end(response)
  else breakOff(response, how)
}

async function drip(response: UplinkResponse, right: UplinkAnswer, bytesPerSecond: number): Promise<void> {
  if (right.body.length === 0) return sendAnswer(response, right)
  // Twenty times a second at most, and a byte at least.
  const step = Math.max(1, Math.round(bytesPerSecond / 20))
  begin(response, right.status, headersOf(right, right.body.length))
  for (let at = 0; at < right.body.length && !isGone(response); at += step) {
    await write(response, right.body.subarray(at, at + step))
    await sleep((1000 * step) / bytesPerSecond)
  }
  end(response)
}

async function flood(response: UplinkResponse, right: UplinkAnswer, bytes: number): Promise<void> {
  begin(response, right.status, right.headers)
  await write(response, right.body)
  const filler = Buffer.alloc(64 * 1024, right.kind === 'index' ? '\n' : '\0')
  for (let sent = right.body.length; sent < bytes && !isGone(response); sent += filler.length) {
    await write(response, filler.subarray(0, bytes - sent))
  }
  end(response)
}

/** Ends the connection, or over HTTP/2 the stream, in the middle. */
export function breakOff(response: UplinkResponse, how: 'end' | 'reset'): void {
  if ('stream' in response) response.stream.close(how === 'end' ? 0x8 : 0x2)
  else if (how === 'end') response.socket?.destroySoon()
  else response.socket?.resetAndDestroy()
}

// The two kinds of response spell these alike, but not to the compiler.

function begin(response: UplinkResponse, status: number, headers: Readonly<Record<string, string>>): void {
  const to = response as ServerResponse
  if (!isGone(response)) to.writeHead(status, headers)
}

function end(response: UplinkResponse, bytes?: Uint8Array): void {
  const to = response as ServerResponse
  if (!isGone(response)) to.end(bytes)
}

/** Writes and waits until it is on its way, or the client has left. */
function write(response: UplinkResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (isGone(response)) return resolve()
    const done = () => {
      response.off('close', done)
      resolve()
    }
    response.once('close', done)
    const to = response as ServerResponse
    if (bytes.length > 0) to.write(bytes, done)
    else {
      to.flushHeaders?.()
      setImmediate(done)
    }
  })
}

function isGone(response: UplinkResponse): boolean {
  return response.destroyed || ('stream' in response && response.stream.destroyed)
}
