import { LRUCache } from 'lru-cache'
import { CargoError } from '../errors.ts'
import type { HostAuth, ObjectStore, Recalled } from '../host.ts'
import { parseCredential } from './credential.ts'
import type { Htpasswd } from './htpasswd.ts'
import { type StaticToken, staticTokenLookup } from './static-tokens.ts'
import { tokenIssuer } from './token-issuer.ts'
import type { Token } from './token-scope.ts'
import { tokenLookup } from './tokens.ts'

/** A token that was right is right for so many milliseconds: hashing it costs more than all else about a read. */
const RECALLED_FOR = 1_000
const MAX_RECALLED = 1_000
const NOBODY: Recalled = { principal: undefined }

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

type Known = Pick<Token, 'principal' | 'expires'>

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
      ? tokenIssuer(store, { ...stored, forget }, () => new Date(now()))
      : undefined
  /** By the header, which is a secret: it is in memory for no longer than it is of use. */
  const right = new LRUCache<string, Recalled & { readonly until: number }>({
    max: MAX_RECALLED,
    ttl: RECALLED_FOR,
    ttlAutopurge: true,
  })

  function forget(id: string): void {
    right.clear()
    stored?.forget(id)
  }

  async function byToken(text: string): Promise<Known | undefined> {
    const token: Token | undefined = findStatic(text) ?? (await stored?.find(text))
    if (token === undefined) return undefined
    if (token.expires <= now()) throw new CargoError('invalid_credential', 'the token has expired')
    if (token.selfService && !(await isUser?.(token.principal.name))) {
      throw new CargoError('invalid_credential', 'the user of this token is no user any more')
    }
    return token
  }

  async function byPassword(user: string, password: string): Promise<Known | undefined> {
    if (password === '') return byToken(user)
    const token = await byToken(password)
    if (token !== undefined) return token
    const principal = await htpasswd?.verify(user, password)
    // Never recalled: the file of passwords may have changed, and it remembers itself what was right.
    return principal && { principal, expires: 0 }
  }

  return {
    async authenticate(authorization) {
      if (authorization === undefined) return undefined
      const credential = parseCredential(authorization)
      const asked = now()
      const known =
        credential.kind === 'token'
          ? await byToken(credential.token)
          : await byPassword(credential.user, credential.password)
      if (known === undefined) {
        throw new CargoError('invalid_credential', 'invalid token or password')
      }
      const { principal, expires } = known
      const until = Math.min(asked + RECALLED_FOR, expires)
      if (until > asked) right.set(authorization, { principal, until })
      return principal
    },
    recall(authorization) {
      if (authorization === undefined) return NOBODY
      const known = right.get(authorization)
      return known !== undefined && now() < known.until ? known : undefined
    },
    authorize: options.authorize ?? (async () => true),
    ...(options.authorize === undefined && { allowsEveryRead: true }),
    ...(tokens && { tokens }),
  }
}
