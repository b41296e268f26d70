import { CargoError } from '../errors.ts'
import type { CrateRecord } from './record.ts'

/** An owner that is a group of the host: `group:rust-team`. Everything else is a user's name. */
export const GROUP_PREFIX = 'group:'

const OWNER = /^(group:)?[A-Za-z0-9@._+$-]{1,128}$/

/** Who asks, as far as ownership is concerned. */
export interface Claimant {
  readonly name: string
  readonly groups: readonly string[]
  readonly admin: boolean
  /** Whoever may publish counts as owner (`ownership: rules`). */
  readonly ownsByRule: boolean
}

/** Whether `who` owns the crate: by name, by one of its groups, by rule, or as administrator. */
export function isOwner(record: CrateRecord, who: Claimant): boolean {
  if (who.admin || who.ownsByRule) return true
  return record.owners.some((owner) =>
    owner.startsWith(GROUP_PREFIX)
      ? who.groups.includes(owner.slice(GROUP_PREFIX.length))
      : owner === who.name,
  )
}

/**
 * @throws {CargoError} `forbidden` when `who` does not own the crate
 */
export function mustOwn(record: CrateRecord, who: Claimant): void {
  if (isOwner(record, who)) return
  throw new CargoError(
    'forbidden',
    `user \`${who.name}\` is not an owner of \`${record.name}\`: ask ${listOwners(record.owners)} for \`cargo owner --add ${who.name}\``,
  )
}

/**
 * The owners after `logins` were added.
 * @throws {CargoError} `invalid_owner` for a login that can be neither a user nor a group
 */
export function withOwners(record: CrateRecord, logins: readonly string[]): readonly string[] {
  for (const login of logins) validateOwner(login)
  return [...new Set([...record.owners, ...logins])]
}

/**
 * The owners after `logins` were removed.
 * @throws {CargoError} `invalid_owner` for a login that is no owner, or when nobody would be left
 */
export function withoutOwners(record: CrateRecord, logins: readonly string[]): readonly string[] {
  for (const login of logins) {
    if (!record.owners.includes(login)) {
      throw new CargoError('invalid_owner', `\`${login}\` is not an owner of \`${record.name}\``)
    }
  }
  const left = record.owners.filter((owner) => !logins.includes(owner))
  if (left.length === 0) {
    throw new CargoError(
      'invalid_owner',
      `\`${record.name}\` must keep at least one owner: add another one first`,
    )
  }
  return left
}

function validateOwner(login: string): void {
  if (OWNER.test(login)) return
  throw new CargoError(
    'invalid_owner',
    `invalid owner \`${login}\`: must be a user name, or \`group:\` and a group's name`,
  )
}

function listOwners(owners: readonly string[]): string {
  return owners.map((owner) => `\`${owner}\``).join(' or ')
}
