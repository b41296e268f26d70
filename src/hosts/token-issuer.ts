import { CargoError } from '../errors.ts'
import type { IssuedToken, ObjectStore, Principal, TokenIssuer } from '../host.ts'
import {
  createToken,
  findToken,
  listTokens,
  revokeToken,
  type TokenLookup,
  type TokenRecord,
} from './tokens.ts'

/** More are a mistake or an attack. */
const MAX_TOKENS = 100

/** Lets people make tokens that are kept in `store`; `lookup` is the one that finds them. */
export function tokenIssuer(store: ObjectStore, lookup: TokenLookup, now: () => Date): TokenIssuer {
  /** A damaged token is nobody's: `listTokens()` without this names it. */
  const all = () => listTokens(store, () => {}).catch(storeFailed)
  const tokensOf = async ({ name }: Principal) => (await all()).filter(({ user }) => user === name)

  return {
    list: async (who) => (await tokensOf(who)).map(issued),
    async create(who, wish) {
      if ((await tokensOf(who)).length >= MAX_TOKENS) {
        throw new CargoError(
          'invalid_request',
          `user \`${who.name}\` has ${MAX_TOKENS} tokens already: revoke one first`,
        )
      }
      const grant = { ...wish, user: who.name, groups: who.groups, self_service: true }
      const { token, record } = await createToken(store, grant, now()).catch(storeFailed)
      return { token, issued: issued(record) }
    },
    async revoke(who, id) {
      const record = await findToken(store, id).catch(storeFailed)
      if (record?.user !== who.name) return false
      const found = await revokeToken(store, id).catch(storeFailed)
      lookup.forget(id)
      return found
    },
  }
}

function issued({ id, created, name = '', expires, crates, actions }: TokenRecord): IssuedToken {
  return {
    ...{ id, created, name },
    ...(expires !== undefined && { expires }),
    ...(crates !== undefined && { crates }),
    ...(actions !== undefined && { actions }),
  }
}

function storeFailed(cause: unknown): never {
  throw new CargoError('unavailable', 'tokens cannot be read or written at the moment', { cause })
}
