import type { Next } from 'koa'
import { CargoError } from '../errors.ts'
import type { Host, HostAuth, HostRequest, Principal } from '../host.ts'
import { type Options, readsNeedLogin } from '../options.ts'
import type { Caller } from '../registry/access.ts'
import type { LoginLimit } from '../registry/login-limit.ts'
import type { Soon } from '../registry/soon.ts'
import type { CargoContext } from './context.ts'

/** The base URL of the registry for a request: the host's own base, or the request's, and the mount. */
export type BaseUrl = (req: HostRequest) => string

/**
 * Takes the host's word for its own address. A host that has none is known by the address that the connection came in
 * on: right on one machine, and never what a client put into a `Host` header.
 */
export function createBaseUrl(host: Pick<Host, 'publicUrl'>, mount: string): BaseUrl {
  let last = ''
  let below = mount
  return (req) => {
    const base = host.publicUrl?.(req) ?? socketUrl(req)
    // Nearly always the same as before.
    if (base !== last) below = base.replace(/\/+$/, '') + mount
    last = base
    return below
  }
}

function socketUrl({ socket }: HostRequest): string {
  const { localAddress = '127.0.0.1', localPort } = socket
  const address = localAddress.replace(/^::ffff:/, '')
  const protocol = Reflect.get(socket, 'encrypted') === true ? 'https' : 'http'
  return `${protocol}://${address.includes(':') ? `[${address}]` : address}:${localPort}`
}

/** As much of a request as tells who asks. */
export interface Asker {
  readonly req: HostRequest
  readonly address: string
  /** The same request, if it was read twice and somebody asked about it then. */
  readonly before?: HostRequest | undefined
}

/** Finds out who asks. */
export interface Callers {
  /**
   * The same answer for the same request, however often it is asked; at once where the host recalls the credential.
   * @throws {CargoError} `invalid_credential`, `rate_limited`, `unavailable`, or what the host says of its address
   */
  find(asker: Asker): Soon<Caller>
}

export interface CallersDeps {
  readonly auth: HostAuth
  readonly login: LoginLimit
  readonly baseUrl: BaseUrl
}

export function createCallers({ auth, login, baseUrl }: CallersDeps): Callers {
  /** A guess is counted once, and a password hashed once. */
  const checked = new WeakMap<HostRequest, Promise<Principal | undefined>>()

  async function check(authorization: string, { req, address }: Asker): Promise<Principal | undefined> {
    const attempt = { authorization, address }
    login.mayTry(attempt)
    try {
      const principal = await auth.authenticate(authorization, req)
      if (principal !== undefined) login.tried(attempt, true)
      return principal
    } catch (error) {
      if (error instanceof CargoError && error.code === 'invalid_credential') login.tried(attempt, false)
      throw error
    }
  }

  function principalOf(asker: Asker): Promise<Principal | undefined> {
    const { req, before } = asker
    const { authorization = '' } = req.headers
    // A host may know people by other means, such as a cookie: that is no guess.
    if (authorization === '') return auth.authenticate(undefined, req)
    const known = checked.get(req) ?? (before && checked.get(before)) ?? check(authorization, asker)
    checked.set(req, known)
    return known
  }

  const callerOf = (principal: Principal | undefined, { req, address }: Asker): Caller => ({
    principal,
    via: baseUrl(req),
    address,
  })

  async function ask(asker: Asker): Promise<Caller> {
    let principal: Principal | undefined
    try {
      principal = await principalOf(asker)
    } catch (error) {
      throw hostFailure(error)
    }
    return callerOf(principal, asker)
  }

  return {
    find(asker) {
      // Right a moment ago, so no guess.
      const recalled = auth.recall?.(asker.req.headers.authorization)
      return recalled === undefined ? ask(asker) : callerOf(recalled.principal, asker)
    },
  }
}

function hostFailure(error: unknown): CargoError {
  if (error instanceof CargoError) return error
  return new CargoError('unavailable', 'users cannot be checked at the moment, try again later', {
    cause: error,
  })
}

/**
 * Finds out who asks. Where reads need a login, nobody gets past without one, whatever the path: what is not there
 * must look like what may not be seen.
 */
export function createCallerFinder(callers: Callers, options: Options) {
  const required = readsNeedLogin(options)
  // The page that tells how to get a token is the one that is read without one.
  const loginPage = `${options.mount}/me`

  return async function findCaller(ctx: CargoContext, next: Next): Promise<void> {
    const caller = await callers.find({ req: ctx.req, address: ctx.ip })
    if (required && caller.principal === undefined && ctx.path !== loginPage) {
      throw new CargoError(
        'login_required',
        'this registry needs a login: run `cargo login` with a token of this registry',
      )
    }
    ctx.state.caller = caller
    // Caches between us and the client must not hand one caller's answer to another.
    if (required) ctx.vary('Authorization')
    await next()
  }
}
