import type { ServerHttp2Stream } from 'node:http2'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Next } from 'koa'
import { CargoError } from '../errors.ts'
import type { CargoContext } from './context.ts'
import { pacedBody } from './paced-body.ts'

/** How much of a refused upload is read and thrown away, and for how long, so that the client gets to read the answer. */
const MAX_DRAINED = 32 * 1024 * 1024
const MAX_DRAIN_MS = 10_000

/** Set by hosts that leave `100 Continue` to the plugin: see `answerContinue` in `hosts/koa.ts`. */
const CONTINUE_WAITS = Symbol.for('verdaccio-cargo.continue-waits')

/**
 * The size of the body, as declared.
 * @throws {CargoError} `length_required`
 */
export function bodyLength(ctx: CargoContext): number {
  const header = ctx.get('Content-Length')
  if (!/^\d{1,15}$/.test(header))
    throw new CargoError('length_required', 'a publish needs a `content-length` header')
  return Number(header)
}

/** Tells a client that waits for it to send its body. */
export function letContinue(ctx: CargoContext): void {
  if (Reflect.get(ctx.req, CONTINUE_WAITS) !== true) return
  Reflect.set(ctx.req, CONTINUE_WAITS, false)
  ctx.res.writeContinue()
}

/**
 * The raw body, as it comes; one that pauses for longer than `timeoutMs` or is too slow fails with `request_timeout`.
 * A body that is not read to its end is left where it is.
 */
export function rawBody(ctx: CargoContext, timeoutMs: number): AsyncIterable<Uint8Array> {
  letContinue(ctx)
  return pacedBody(ctx.req.iterator({ destroyOnReturn: false }), timeoutMs)
}

/** Runs around the error handler: sees to the bodies that a refusal has left unread. */
export async function answerRefusedUpload(ctx: CargoContext, next: Next): Promise<void> {
  await next()
  if (ctx.status >= 400) answerBeforeBody(ctx)
}

/**
 * After a refusal before the body was read: sends the answer at once, then reads on for a while before the connection
 * is closed. A client that is still sending would otherwise see a reset instead of the reason.
 */
function answerBeforeBody(ctx: CargoContext): void {
  if (!hasBody(ctx) || ctx.req.readableEnded) return
  // Nothing more is expected of a client that was waited for.
  const isLate = ctx.status === 408
  if (ctx.req.httpVersionMajor > 1) {
    if (isLate) endStream(ctx)
    return
  }
  ctx.set('Connection', 'close')
  if (isLate) return
  if (Reflect.get(ctx.req, CONTINUE_WAITS) === true) return
  const isPage = typeof ctx.body === 'string'
  const answer = Buffer.from(isPage ? String(ctx.body) : JSON.stringify(ctx.body))
  ctx.body = Readable.from(linger(answer, ctx), { objectMode: false })
  ctx.type = isPage ? 'html' : 'json'
  ctx.length = answer.length
}

/** Over HTTP/2 an answer does not end what the client sends: the stream has to be closed, once the answer is sent. */
function endStream({ res }: CargoContext): void {
  if (!('stream' in res)) return
  const stream = res.stream as ServerHttp2Stream
  stream.once('finish', () => stream.close())
}

function hasBody(ctx: CargoContext): boolean {
  return ctx.get('Transfer-Encoding') !== '' || !['', '0'].includes(ctx.get('Content-Length'))
}

async function* linger(answer: Buffer, ctx: CargoContext): AsyncGenerator<Buffer> {
  yield answer
  const deadline = new AbortController()
  await Promise.race([
    drain(ctx),
    delay(MAX_DRAIN_MS, undefined, { signal: deadline.signal }).catch(() => {}),
  ])
  deadline.abort()
}

async function drain(ctx: CargoContext): Promise<void> {
  let drained = 0
  try {
    for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) {
      drained += (chunk as Buffer).length
      if (drained > MAX_DRAINED) return
    }
  } catch {
    // The client has gone: there is nobody left to be polite to.
  }
}
