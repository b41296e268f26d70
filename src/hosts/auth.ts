import { CargoError } from '../errors.ts'
import type { HostAuth, ObjectStore, Principal } from '../host.ts'
import { parseCredential } from './credential.ts'
import type { Htpasswd } from './htpasswd.ts'
import { type StaticToken, staticTokenLookup } from './static-tokens.ts'
import { tokenIssuer } from './token-issuer.ts'
import type { Token } from './token-scope.ts'
import { tokenLookup } from './tokens.ts'

/** Where users come from. Without any of the first three every credential is refused. */
export interface AuthOptions {
  /** Where `createToken()` keeps tokens. */
  readonly store?: ObjectStore
  readonly staticTokens?: readonly StaticToken[]
  readonly htpasswd?: Htpasswd
  /**
   * Whether a person is still a user: the tokens that people made for themselves end with them. Default: those in
   * `htpasswd`. Without either nobody makes tokens for themselves.
   */
  readonly isUser?: (name: string) => Promise<boolean>
  /** Rights beyond the plugin's own `packages` rules; absent: those rules alone decide. */
  readonly authorize?: HostAuth['authorize']
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/**
 * Users by tokens and passwords. In `Basic` credentials the password may be a token, whatever the user name is,
 * or the user name a token without password.
 * @throws {Error} for a bad static token.
 */
export function createAuth(options: AuthOptions): HostAuth {
  const { store, htpasswd, now = Date.now } = options
  const findStatic = staticTokenLookup(options.staticTokens ?? [])
  const stored = store === undefined ? undefined : tokenLookup(store, now)
  const isUser = options.isUser ?? htpasswd?.has
  const tokens =
    store !== undefined && stored !== undefined && isUser !== undefined
      ? tokenIssuer(store, stored, () => new Date(now()))
      : undefined

  async function byToken(text: string): Promise<Principal | undefined> {
    const token: Token | undefined = findStatic(text) ?? (await stored?.find(text))
    if (token === undefined) return undefined
    if (token.expires <= now()) throw new CargoError('invalid_credential', 'the token has expired')
    if (token.selfService && !(await isUser?.(token.principal.name))) {
      throw new CargoError('invalid_credential', 'the user of this token is no user any more')
    }
    return token.principal
  }

  async function byPassword(user: string, password: string): Promise<Principal | undefined> {
    if (password === '') return byToken(user)
    return (await byToken(password)) ?? htpasswd?.verify(user, password)
  }

  return {
    async authenticate(authorization) {
      if (authorization === undefined) return undefined
      const credential = parseCredential(authorization)
      const principal =
        credential.kind === 'token'
          ? await byToken(credential.token)
          : await byPassword(credential.user, credential.password)
      if (principal === undefined) {
        throw new CargoError('invalid_credential', 'invalid token or password')
      }
      return principal
    },
    authorize: options.authorize ?? (async () => true),
    ...(options.authorize === undefined && { allowsEveryRead: true }),
    ...(tokens && { tokens }),
  }
}
