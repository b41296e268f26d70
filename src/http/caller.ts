import type { Next } from 'koa'
import { CargoError } from '../errors.ts'
import type { Host, HostAuth, Principal } from '../host.ts'
import { type Options, readsNeedLogin } from '../options.ts'
import type { LoginLimit } from '../registry/login-limit.ts'
import type { CargoContext } from './context.ts'

/** The base URL of the registry for a request: the host's own base, or the request's, and the mount. */
export type BaseUrl = (ctx: CargoContext) => string

/**
 * Takes the host's word for its own address. A host that has none is known by the address that the connection came in
 * on: right on one machine, and never what a client put into a `Host` header.
 */
export function createBaseUrl(host: Pick<Host, 'publicUrl'>, mount: string): BaseUrl {
  return (ctx) => (host.publicUrl?.(ctx.req) ?? socketUrl(ctx)).replace(/\/+$/, '') + mount
}

function socketUrl(ctx: CargoContext): string {
  const { localAddress = '127.0.0.1', localPort } = ctx.req.socket
  const address = localAddress.replace(/^::ffff:/, '')
  return `${ctx.protocol}://${address.includes(':') ? `[${address}]` : address}:${localPort}`
}

/**
 * Finds out who asks. Where reads need a login, nobody gets past without one, whatever the path: what is not there
 * must look like what may not be seen.
 */
export function createCallerFinder(
  { auth, login }: { readonly auth: HostAuth; readonly login: LoginLimit },
  options: Options,
  baseUrl: BaseUrl,
) {
  const required = readsNeedLogin(options)
  // The page that tells how to get a token is the one that is read without one.
  const loginPage = `${options.mount}/me`

  async function authenticate(ctx: CargoContext): Promise<Principal | undefined> {
    const authorization = ctx.get('Authorization')
    const attempt = { authorization, address: ctx.ip }
    // A host may know people by other means, such as a cookie: that is no guess.
    const isGuess = authorization !== ''
    if (isGuess) login.mayTry(attempt)
    try {
      const principal = await auth.authenticate(authorization || undefined, ctx.req)
      if (isGuess && principal !== undefined) login.tried(attempt, true)
      return principal
    } catch (error) {
      if (!(error instanceof CargoError)) {
        throw new CargoError('unavailable', 'users cannot be checked at the moment, try again later', {
          cause: error,
        })
      }
      if (isGuess && error.code === 'invalid_credential') login.tried(attempt, false)
      throw error
    }
  }

  return async function findCaller(ctx: CargoContext, next: Next): Promise<void> {
    const principal = await authenticate(ctx)
    if (required && principal === undefined && ctx.path !== loginPage) {
      throw new CargoError(
        'login_required',
        'this registry needs a login: run `cargo login` with a token of this registry',
      )
    }
    ctx.state.caller = { principal, via: baseUrl(ctx), address: ctx.ip }
    // Caches between us and the client must not hand one caller's answer to another.
    if (required) ctx.vary('Authorization')
    await next()
  }
}
