import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { HostAuth, Principal, TokenStep } from '../../host.ts'
import type { GeneratedToken, RemoteUser, VerdaccioAuth, VerdaccioRequest, VerdaccioStorage } from './api.ts'
import { findUser } from './credentials.ts'
import { generatedToken, mustComeFrom, scopeOf } from './generated-tokens.ts'
import { type CrateRules, verdaccioRights } from './rights.ts'

/** A password costs a tenth of a second each time it is checked; for so long nobody checks it again. */
const REMEMBERED_MS = 5_000
const MOST_REMEMBERED = 1_000

/** Somebody whose credential the host accepted. */
interface KnownUser {
  readonly user: RemoteUser
  readonly token: GeneratedToken | undefined
}

export interface VerdaccioAuthOptions {
  readonly auth: VerdaccioAuth
  readonly storage: VerdaccioStorage
  /** Rules of the plugin's own; absent: the host's `packages` decide on `cargo/<crate>`. */
  readonly rules?: CrateRules | undefined
  /** Where the registry is below the host. */
  readonly mount: string
}

/** Verdaccio's users, tokens, groups and rules. */
export function verdaccioAuth({ auth, storage, rules, mount }: VerdaccioAuthOptions): HostAuth {
  const known = new LRUCache<string, Promise<KnownUser>>({ max: MOST_REMEMBERED, ttl: REMEMBERED_MS })
  const rights = verdaccioRights(auth, rules)

  function find(authorization: string, request: VerdaccioRequest): Promise<KnownUser> {
    const key = createHash('sha256').update(authorization).digest('base64')
    const before = known.get(key)
    if (before !== undefined) return before
    const found = (async () => {
      const user = await findUser(auth, authorization, request)
      return { user, token: await generatedToken(storage, user) }
    })()
    known.set(key, found)
    // What was refused may be right a moment later.
    found.catch(() => known.delete(key))
    return found
  }

  return {
    async authenticate(authorization, request: VerdaccioRequest) {
      if (authorization === undefined) return undefined
      const { user, token } = await find(authorization, request)
      if (token !== undefined) mustComeFrom(token, request.ip ?? request.socket.remoteAddress)
      // The host's access log tells who it was.
      request.remote_user = user
      return principalOf(user, token)
    },
    async authorize(who, action, crate) {
      if (crate === undefined) return true
      return rights(userOf(who), action, crate)
    },
    tokenSteps: (registry) => npmSteps(`${registry.slice(0, registry.length - mount.length)}/`),
  }
}

/** The tokens are those of npm. */
function npmSteps(host: string): readonly TokenStep[] {
  return [
    { text: 'Sign in with npm, as for its packages:', command: `npm login --registry ${host}` },
    {
      text: 'Make a token for cargo, which can be revoked by itself (`npm token revoke`):',
      command: `npm token create --registry ${host}`,
    },
  ]
}

function principalOf(user: RemoteUser, token: GeneratedToken | undefined): Principal {
  const may = token && scopeOf(token)
  return {
    name: user.name ?? '',
    groups: user.groups,
    ...(token && { tokenId: token.key }),
    ...(may && { may }),
    native: user,
  }
}

function userOf(who: Principal | undefined): RemoteUser | undefined {
  return who?.native as RemoteUser | undefined
}
