import type { CargoError } from '../errors.ts'
import { errorBody } from '../protocol/api.ts'
import type { BaseUrl } from './caller.ts'
import type { CargoContext } from './context.ts'
import { errorPage } from './pages/error-page.ts'
import { sendPage } from './pages/page.ts'
import { tokensPath } from './pages/token-page.ts'
import { siteAt } from './site.ts'

/** For a password prompt of browsers; cargo, which has a challenge of its own, never comes here. */
const CHALLENGE = 'Basic realm="cargo registry", charset="UTF-8"'

/** Cargo's words say how cargo logs in. */
const HINT =
  'In a browser, sign in with your name and password. A token will do as the password, whatever the name.'

/** Tells a refusal: to cargo as JSON, and where pages are (`/-` and, if there are any, below `/me/tokens`) to people. */
export function createErrorAnswer(mount: string, hasTokenPages: boolean, baseUrl: BaseUrl) {
  /** What the audit has to tell a script is no page; that it is not there, or needs a login, is told as everywhere. */
  const isPage = ({ path }: CargoContext, { status }: CargoError) =>
    isBelow(path, `${mount}/-`) && (path !== `${mount}/-/audit` || status === 404 || status === 401)

  return function answerError(ctx: CargoContext, error: CargoError): void {
    const isOfTokens = hasTokenPages && isBelow(ctx.path, `${mount}/me/tokens`)
    if (!isOfTokens && !isPage(ctx, error)) {
      if (error.status === 401) ctx.set('WWW-Authenticate', `Cargo login_url="${baseUrl(ctx.req)}/me"`)
      ctx.body = errorBody([error.message])
      return
    }
    const wantsPerson = error.status === 401 || (isOfTokens && isToken(ctx, error))
    if (wantsPerson) {
      ctx.status = 401
      ctx.set('WWW-Authenticate', CHALLENGE)
    }
    const site = siteAt(ctx, baseUrl(ctx.req))
    const more = isOfTokens
      ? { back: { path: tokensPath(site), text: 'To your tokens' } }
      : {
          back: { path: `${site.path}/-/`, text: 'To all crates' },
          ...(wantsPerson && { hint: HINT }),
        }
    sendPage(ctx, errorPage(site, { status: ctx.status, message: error.message }, more))
  }
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`)
}

/** A browser that was given a token for a password keeps it until it is asked again. */
function isToken(ctx: CargoContext, { code }: CargoError): boolean {
  return code === 'forbidden' && ctx.state.caller?.principal?.tokenId !== undefined
}
