import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Context, Next } from 'koa'
import type { Logger } from '../host.ts'
import { withoutTokens } from '../protocol/token-text.ts'
import { isHealthPath } from './health.ts'

/** Request ids of others are taken over only when they can do no harm in a log or header. */
const SANE_ID = /^[A-Za-z0-9._:+/=-]{1,128}$/

const MAX_LOGGED_PATH = 512

/** What goes wrong when a client hangs up, or breaks the rules of HTTP/2. */
const CLIENT_LEFT: ReadonlySet<unknown> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'ERR_HTTP2_ERROR',
  'ERR_HTTP2_INVALID_STREAM',
  'ERR_HTTP2_STREAM_ERROR',
  'ERR_HTTP2_SESSION_ERROR',
])

const current = new AsyncLocalStorage<{ readonly request: string }>()

/** The id of the request that is being answered, for every log line that is written meanwhile. */
export function requestFields(): { readonly request?: string } {
  return current.getStore() ?? {}
}

/** Gives each request an id and logs it when it ends: never its query, headers or body, which may hold secrets. */
export function createRequestLog(logger: Logger) {
  return function logRequests(ctx: Context, next: Next): Promise<void> {
    const given = ctx.get('X-Request-Id')
    const request = SANE_ID.test(given) ? given : randomUUID()
    const began = performance.now()
    ctx.set('X-Request-Id', request)
    ctx.res.once('close', () => {
      const fields = {
        request,
        method: ctx.method,
        path: withoutTokens(ctx.path).slice(0, MAX_LOGGED_PATH),
        status: ctx.res.statusCode,
        ms: Math.round(performance.now() - began),
        ...userOf(ctx),
        ...(ctx.res.writableFinished ? {} : { aborted: true }),
      }
      if (isHealthPath(ctx.path)) logger.debug(fields, 'request')
      else logger.info(fields, 'request')
    })
    return current.run({ request }, next)
  }
}

/** Logs what Koa could not answer; a client that hung up is nobody's fault. */
export function createErrorLog(logger: Logger) {
  return function logError(error: unknown): void {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (CLIENT_LEFT.has(code)) logger.debug({ err: error }, 'the client left')
    else logger.error({ err: error }, 'request failed')
  }
}

function userOf(ctx: Context): { readonly user?: string } {
  const user: unknown = ctx.state['caller']?.principal?.name
  return typeof user === 'string' ? { user } : {}
}
