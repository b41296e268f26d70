import { performance } from 'node:perf_hooks'
import type { Logger } from '../host.ts'
import { withoutTokens } from '../protocol/token-text.ts'
import { isHealthPath } from './health.ts'
import type { ServerVisit } from './visit.ts'

const MAX_LOGGED_PATH = 512

/** What goes wrong when a client hangs up, or breaks the rules of HTTP/2. */
const CLIENT_LEFT: ReadonlySet<unknown> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  // What is left of an upload whose answer came before its end.
  'HPE_INVALID_EOF_STATE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'ERR_HTTP2_ERROR',
  'ERR_HTTP2_INVALID_STREAM',
  'ERR_HTTP2_STREAM_ERROR',
  'ERR_HTTP2_SESSION_ERROR',
])

/** What the log says of a request: never its query, headers or body, which may hold secrets. */
export interface RequestFields {
  readonly request: string
  /** The address that it came from, behind proxies that are trusted that of their client. */
  readonly client: string
  readonly method: string | undefined
  readonly path: string
  readonly status: number
  /** Milliseconds until the end of the answer. */
  readonly ms: number
  readonly user?: string | undefined
  /** Its answer was not sent to the end. */
  readonly aborted?: true | undefined
}

export type RequestLog = (fields: RequestFields) => void

/** Logs a visit when it ends; questions for our health, which come every few seconds, only for `debug`. */
export function createVisitLog(logger: Logger, logRequest: RequestLog): (visit: ServerVisit) => void {
  function log(visit: ServerVisit): void {
    const { request, address, req, res, began } = visit
    const path = pathOf(visit)
    const fields: RequestFields = {
      request,
      client: address,
      method: req.method,
      path: withoutTokens(path).slice(0, MAX_LOGGED_PATH),
      status: res.statusCode,
      ms: Math.round(performance.now() - began),
      user: userOf(visit),
      aborted: res.writableFinished ? undefined : true,
    }
    if (isHealthPath(path)) logger.debug(fields, 'request')
    else logRequest(fields)
  }

  return function logAtEnd(visit) {
    visit.res.on('close', () => log(visit))
  }
}

/** Logs what nobody could answer; a client that hung up is nobody's fault. */
export function createErrorLog(logger: Logger) {
  return function logError(error: unknown): void {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (CLIENT_LEFT.has(code)) logger.debug({ err: error }, 'the client left')
    else logger.error({ err: error }, 'request failed')
  }
}

function pathOf({ ctx, req: { url = '' } }: ServerVisit): string {
  if (ctx !== undefined) return ctx.path
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

function userOf({ ctx, caller }: ServerVisit): string | undefined {
  const user: unknown = (ctx?.state['caller'] ?? caller)?.principal?.name
  return typeof user === 'string' ? user : undefined
}
