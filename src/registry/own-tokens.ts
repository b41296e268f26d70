import { CargoError } from '../errors.ts'
import type { HostAuth, IssuedToken, Logger, Principal, TokenIssuer, TokenStep, TokenWish } from '../host.ts'
import { isPlainText, quote } from '../protocol/text.ts'
import type { Caller } from './access.ts'

const MAX_NAME_LENGTH = 100
const MAX_CRATES = 50
/** A name in which `*` stands for any characters, twice at most: matching stays cheap whoever wrote it. */
const CRATE = /^(?=.{1,64}$)[A-Za-z0-9_-]*(\*[A-Za-z0-9_-]*){0,2}$/

/**
 * What people do with their own tokens. A token makes none, and sees none: who found one could otherwise make another
 * that outlives it. It may revoke itself.
 */
export interface OwnTokens {
  /** Whether tokens are made here at all. */
  readonly offered: boolean
  /** Where the host makes them instead. */
  readonly elsewhere: string | undefined
  /** How to get one at a command line, from the registry at a URL; nothing: nobody knows. */
  steps(registry: string): readonly TokenStep[]
  /** Whether the caller has signed in as a person. */
  isPerson(caller: Caller): boolean
  /** @throws {CargoError} `login_required`, `forbidden` for a token, `not_supported` */
  list(caller: Caller): Promise<readonly IssuedToken[]>
  /** @throws {CargoError} as `list`, and `invalid_request` for a wish that cannot be granted */
  create(caller: Caller, wish: TokenWish): Promise<{ readonly token: string; readonly issued: IssuedToken }>
  /** @throws {CargoError} as `list`, and `not_found` for what is no token of the caller's */
  revoke(caller: Caller, id: string): Promise<void>
}

export function createOwnTokens(auth: HostAuth, logger: Logger): OwnTokens {
  const { tokens } = auth

  function issuer(): TokenIssuer {
    if (tokens !== undefined) return tokens
    throw new CargoError('not_supported', 'this registry makes no tokens by itself: its `/me` says who does')
  }

  return {
    offered: tokens !== undefined,
    elsewhere: auth.tokenPage,
    steps: (registry) => auth.tokenSteps?.(registry) ?? [],
    isPerson: ({ principal }) => principal !== undefined && isPerson(principal),
    list: async (caller) => orUnavailable(issuer().list(person(caller))),
    async create(caller, wish) {
      const [from, who] = [issuer(), person(caller)]
      validateWish(wish)
      const made = await orUnavailable(from.create(who, wish))
      logger.info({ user: who.name, token: made.issued.id }, 'token created')
      return made
    },
    async revoke(caller, id) {
      const from = issuer()
      const who = caller.principal?.tokenId === id ? caller.principal : person(caller)
      if (!(await orUnavailable(from.revoke(who, id))))
        throw new CargoError('not_found', `you have no token ${quote(id)}`)
      logger.info({ user: who.name, token: id }, 'token revoked')
    },
  }
}

function isPerson({ tokenId, may }: Principal): boolean {
  return tokenId === undefined && may === undefined
}

function person({ principal }: Caller): Principal {
  if (principal === undefined) {
    throw new CargoError('login_required', 'tokens are made with a user name and password: sign in')
  }
  if (isPerson(principal)) return principal
  throw new CargoError(
    'forbidden',
    'a token can neither make nor list tokens: sign in with a user name and password',
  )
}

async function orUnavailable<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((cause: unknown) => {
    if (cause instanceof CargoError) throw cause
    throw new CargoError('unavailable', 'tokens cannot be looked after at the moment, try again later', {
      cause,
    })
  })
}

function validateWish({ name, crates, actions }: TokenWish): void {
  if (name.trim() === '' || name.length > MAX_NAME_LENGTH || !isPlainText(name)) {
    throw new CargoError(
      'invalid_request',
      `invalid token name ${quote(name)}: must have 1 to ${MAX_NAME_LENGTH} characters on one line`,
    )
  }
  const wrong = crates?.find((crate) => !CRATE.test(crate))
  if (wrong !== undefined) {
    throw new CargoError(
      'invalid_request',
      `invalid crate ${quote(wrong)}: must be a crate's name, in which up to two \`*\` stand for any characters`,
    )
  }
  if (crates !== undefined && (crates.length === 0 || crates.length > MAX_CRATES))
    throw new CargoError('invalid_request', `invalid list of crates: must have 1 to ${MAX_CRATES} entries`)
  if (actions?.length === 0)
    throw new CargoError('invalid_request', 'invalid list of actions: must not be empty')
}
