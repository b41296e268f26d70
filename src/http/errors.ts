import type { Next } from 'koa'
import { CargoError } from '../errors.ts'
import type { Logger } from '../host.ts'
import { withoutTokens } from '../protocol/token-text.ts'
import type { CargoContext } from './context.ts'
import { eachHeader } from './index-head.ts'

/** What a handler may have said of the file that it then could not send. */
const OF_THE_FILE = ['Accept-Ranges', 'Content-Encoding', 'Content-Range', 'ETag', 'Last-Modified'] as const
/** A client that went away in the middle of its request: nobody is left to answer. */
const GONE = new Set(['ECONNRESET', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE', 'EPIPE'])

/** Answers every failure, in the words of `answer`. What is not a `CargoError` is told to the log only. */
export function createErrorHandler(logger: Logger, answer: (ctx: CargoContext, error: CargoError) => void) {
  return async function answerErrors(ctx: CargoContext, next: Next): Promise<void> {
    try {
      await next()
    } catch (thrown) {
      const error = toldOf(thrown, { method: ctx.method, path: ctx.path }, logger)
      for (const header of OF_THE_FILE) ctx.remove(header)
      ctx.status = error.status
      eachHeader(errorHead(error), (name, value) => ctx.set(name, value))
      answer(ctx, error)
    }
  }
}

/** As much of a request as the log is told when it fails. */
export interface Failed {
  readonly method: string
  readonly path: string
  /** Its id, where the logger does not know it by itself. */
  readonly request?: string
}

/** What the client is told of a failure; the log is told of those that are not the client's. */
export function toldOf(thrown: unknown, { method, path, request }: Failed, logger: Logger): CargoError {
  const error = toCargoError(thrown)
  if (error.status >= 500 && error.code !== 'not_supported') {
    const asked = { method, path: withoutTokens(path), ...(request && { request }) }
    logger.error({ ...troubleOf(thrown), ...asked }, error.message)
  }
  return error
}

/** The headers of a refusal: names and values in turns. */
export function errorHead({ headers, retryAfter }: CargoError): readonly string[] {
  const head = [...Object.entries(headers).flat(), 'Cache-Control', 'no-store']
  if (retryAfter !== undefined) head.push('Retry-After', String(retryAfter))
  return head
}

/** What the log is told: all of what nobody expected, and the reason of what happens now and then. */
function troubleOf(thrown: unknown): object {
  if (!(thrown instanceof CargoError) || thrown.code === 'internal') return { err: thrown }
  const { cause } = thrown
  return cause === undefined ? {} : { cause: cause instanceof Error ? cause.message : String(cause) }
}

function toCargoError(thrown: unknown): CargoError {
  if (thrown instanceof CargoError && thrown.code !== 'internal') return thrown
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
  if (GONE.has(code))
    return new CargoError('invalid_request', 'the connection was closed before the request was complete')
  return new CargoError('internal', 'internal error, the operator has been told', { cause: thrown })
}
