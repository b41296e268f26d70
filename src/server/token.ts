import type { Writable } from 'node:stream'
import { CargoError } from '../errors.ts'
import { ACTIONS, type Action, type ObjectStore } from '../host.ts'
import { type TokenGrant, tokenOf } from '../hosts/token-scope.ts'
import { createToken, findToken, listTokens, revokeToken, type TokenRecord } from '../hosts/tokens.ts'
import { parseExpiry } from '../protocol/expiry.ts'
import { isPlainText } from '../protocol/text.ts'
import type { ConfigSources } from './config-sources.ts'
import { Mistake } from './mistake.ts'
import { reasonOf } from './reason.ts'
import { withStore } from './with-store.ts'

/** Where a command reports; what a script wants is on `out`, everything else on `err`. */
export interface TokenOutput {
  readonly out: Writable
  readonly err: Writable
}

export interface TokenRequest {
  readonly user: string
  readonly name?: string | undefined
  readonly groups: readonly string[]
  readonly crates: readonly string[]
  readonly actions: readonly string[]
  /** `30d`, or a date or time. */
  readonly expires?: string | undefined
}

/**
 * `token create`: the token alone on `out`, what is kept of it on `err`.
 * @throws {ConfigError | Mistake} for what the operator has to put right
 */
export async function createUserToken(
  sources: ConfigSources,
  { user, name, groups, crates, actions, expires }: TokenRequest,
  { out, err }: TokenOutput,
): Promise<void> {
  for (const text of [user, name ?? '', ...groups]) {
    if (!isPlainText(text)) throw new Mistake('names must have no control characters')
  }
  if (user === '') throw new Mistake('`--user` must be a name')
  const grant = {
    ...{ user, groups },
    ...(name !== undefined && { name }),
    ...(expires !== undefined && { expires: expiryOf(expires) }),
    ...(crates.length > 0 && { crates }),
    ...(actions.length > 0 && { actions: actions.map(actionOf) }),
  }
  mustBeUsable(grant)
  const { token, record } = await withStore(sources, (store) => createToken(store, grant))
  out.write(`${token}\n`)
  err.write(`token ${describe(record)}; it is shown only this once\n`)
}

/**
 * `token list`: a line for each token, or JSON.
 * @throws {ConfigError | Mistake}
 */
export async function listUserTokens(
  sources: ConfigSources,
  { user, json }: { readonly user?: string | undefined; readonly json: boolean },
  { out, err }: TokenOutput,
): Promise<void> {
  const all = await withStore(sources, (store) =>
    listTokens(store, ({ message }) => void err.write(`${message}\n`)),
  )
  const shown = all.filter((record) => user === undefined || record.user === user)
  if (json) out.write(`${JSON.stringify(shown, undefined, 2)}\n`)
  else for (const record of shown) out.write(`${describe(record)}\n`)
}

/**
 * `token revoke`: those with the ids, or all of a user; servers refuse them within a minute.
 * @throws {ConfigError | Mistake} also for an id that is none, after the others were revoked
 */
export async function revokeUserTokens(
  sources: ConfigSources,
  { ids, user }: { readonly ids: readonly string[]; readonly user?: string | undefined },
  { out }: Pick<TokenOutput, 'out'>,
): Promise<void> {
  if (ids.length === 0 && user === undefined) throw new Mistake('which tokens? give ids, or `--user NAME`')
  const missing = await withStore(sources, async (store) => {
    const wanted = ids.length > 0 ? ids : await idsOf(store, user)
    const unknown: string[] = []
    for (const id of wanted) {
      const isTheirs = user === undefined || ids.length === 0 || (await findToken(store, id))?.user === user
      if (isTheirs && (await revokeToken(store, id))) out.write(`${id} revoked\n`)
      else unknown.push(id)
    }
    return unknown
  })
  const whose = user === undefined ? '' : ` of user \`${user}\``
  if (missing.length > 0) throw new Mistake(`there is no token \`${missing.join('`, `')}\`${whose}`)
}

async function idsOf(store: ObjectStore, user: string | undefined): Promise<readonly string[]> {
  // One that cannot be read has no user, and does not work either.
  const all = await listTokens(store, () => {})
  return all.filter((record) => record.user === user).map(({ id }) => id)
}

function describe({ id, user, groups, name, created, expires, crates, actions }: TokenRecord): string {
  return [
    id,
    `user ${user}`,
    ...(groups.length > 0 ? [`groups ${groups.join(',')}`] : []),
    ...(name === undefined ? [] : [`name ${JSON.stringify(name)}`]),
    `made ${created}`,
    expires === undefined
      ? 'never expires'
      : `${Date.parse(expires) <= Date.now() ? 'expired' : 'expires'} ${expires}`,
    ...(crates === undefined ? [] : [`crates ${crates.join(',')}`]),
    ...(actions === undefined ? [] : [`actions ${actions.join(',')}`]),
  ].join('  ')
}

function expiryOf(text: string): string {
  try {
    return parseExpiry(text, new Date())
  } catch (cause) {
    if (cause instanceof CargoError) throw new Mistake(`\`--expires\`: ${cause.message}`, { cause })
    throw cause
  }
}

function mustBeUsable(grant: TokenGrant): void {
  try {
    tokenOf('', grant)
  } catch (cause) {
    throw new Mistake(`\`--crates\`: ${reasonOf(cause)}`, { cause })
  }
}

function actionOf(word: string): Action {
  const action = ACTIONS.find((known) => known === word)
  if (action !== undefined) return action
  throw new Mistake(`\`--actions\`: \`${word}\` is none of \`${ACTIONS.join('`, `')}\``)
}
