import type { Next } from 'koa'
import { CargoError } from '../errors.ts'
import type { CargoContext } from './context.ts'
import { sendPage } from './page.ts'
import { refusalPage } from './token-page.ts'

/** For a password prompt of browsers; cargo, which has a challenge of its own, never comes here. */
const CHALLENGE = 'Basic realm="cargo registry", charset="UTF-8"'

/**
 * Answers refusals below `path` to people: as a page, and with a prompt for a password where one is wanted. What is
 * no fault of theirs is left to the error handler.
 */
export function createPageErrors(path: string, base: (ctx: CargoContext) => string) {
  return async function answerPageErrors(ctx: CargoContext, next: Next): Promise<void> {
    if (ctx.path !== path && !ctx.path.startsWith(`${path}/`)) return next()
    try {
      await next()
    } catch (error) {
      if (!(error instanceof CargoError) || error.status >= 500) throw error
      const wantsPerson = error.status === 401 || isToken(ctx, error)
      ctx.status = wantsPerson ? 401 : error.status
      ctx.set({ ...error.headers })
      ctx.set('Cache-Control', 'no-store')
      if (error.retryAfter !== undefined) ctx.set('Retry-After', String(error.retryAfter))
      if (wantsPerson) ctx.set('WWW-Authenticate', CHALLENGE)
      sendPage(ctx, refusalPage(`${new URL(base(ctx)).pathname}/me/tokens`, error.message))
    }
  }
}

/** A browser that was given a token for a password keeps it until it is asked again. */
function isToken(ctx: CargoContext, { code }: CargoError): boolean {
  return code === 'forbidden' && ctx.state.caller?.principal?.tokenId !== undefined
}
