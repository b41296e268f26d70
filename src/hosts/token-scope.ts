import { ACTIONS, type Action, type Principal } from '../host.ts'
import { crateMatcher } from '../name-glob.ts'

/** Whose a token is, how long, and what it may do; as written in configuration and in storage. */
export interface TokenGrant {
  readonly user: string
  readonly groups: readonly string[]
  /** RFC 3339; absent: never expires. */
  readonly expires?: string
  /** Globs; absent: every crate. */
  readonly crates?: readonly string[]
  /** Absent: every action. Without `read` reads are as free as the user's own: cargo cannot publish otherwise. */
  readonly actions?: readonly Action[]
  /** What its user calls it. */
  readonly name?: string
  /** Its user made it, signed in with a password: it ends when the user does. */
  readonly self_service?: boolean
}

/** A grant that was checked, ready for use. */
export interface Token {
  readonly principal: Principal
  /** Milliseconds since 1970; `Infinity`: never. */
  readonly expires: number
  readonly selfService: boolean
}

/**
 * Reads a grant from JSON or YAML; fields that are not of a grant are ignored.
 * @throws {Error} naming the field that is wrong; never repeats other fields.
 */
export function parseGrant(value: unknown): TokenGrant {
  if (typeof value !== 'object' || value === null) throw new Error('invalid token: must be an object')
  const fields = value as Readonly<Record<string, unknown>>
  const { user, expires, name } = fields
  if (typeof user !== 'string' || user === '') throw new Error('invalid `user`: must be a name')
  if (expires !== undefined && (typeof expires !== 'string' || Number.isNaN(Date.parse(expires)))) {
    throw new Error(`invalid \`expires\`: must be a time such as \`2027-01-31T00:00:00Z\``)
  }
  if (name !== undefined && typeof name !== 'string') throw new Error('invalid `name`: must be a string')
  const crates = strings(fields, 'crates')
  const actions = strings(fields, 'actions')
  if (actions !== undefined && !actions.every(isAction)) {
    throw new Error(`invalid \`actions\`: must be some of ${ACTIONS.map((a) => `\`${a}\``).join(', ')}`)
  }
  return {
    user,
    groups: strings(fields, 'groups') ?? [],
    ...(expires === undefined ? {} : { expires }),
    ...(crates === undefined ? {} : { crates }),
    ...(actions === undefined ? {} : { actions }),
    ...(name === undefined ? {} : { name }),
    ...(fields['self_service'] === true ? { self_service: true } : {}),
  }
}

/**
 * Makes a grant usable: its scopes become the principal's `may`. `id` names the token in the audit trail.
 * @throws {Error} for a bad glob.
 */
export function tokenOf(id: string, grant: TokenGrant): Token {
  const { user: name, groups, actions } = grant
  const matches = grant.crates === undefined ? () => true : crateMatcher(grant.crates)
  const may = (action: Action, crate?: string): boolean => {
    if (actions !== undefined && !actions.includes(action)) return action === 'read'
    return crate === undefined || matches(crate)
  }
  return {
    principal: { name, groups, tokenId: id, may },
    expires: grant.expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(grant.expires),
    selfService: grant.self_service === true,
  }
}

function strings(fields: Readonly<Record<string, unknown>>, name: string): readonly string[] | undefined {
  const list = fields[name]
  if (list === undefined) return undefined
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'string' && item !== '')) {
    throw new Error(`invalid \`${name}\`: must be a list of strings`)
  }
  return list
}

function isAction(value: string): value is Action {
  return ACTIONS.some((action) => action === value)
}
