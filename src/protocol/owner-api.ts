import { createHash } from 'node:crypto'
import { GROUP_PREFIX } from './ownership.ts'

/** Who owns a crate. Of an owner here only the login is known. */
export interface Owner {
  readonly login: string
  readonly kind: 'user' | 'team'
  /** The number that another registry has for it. */
  readonly id?: number
  readonly name?: string
  readonly avatar?: string
  readonly url?: string
}

/** An owner in crates.io's shape. */
export interface ApiOwner {
  readonly id: number
  readonly login: string
  readonly kind: Owner['kind']
  readonly name: string | null
  readonly avatar: string | null
  readonly url: string
}

/** An owner as a crate's record names it. */
export function ownerOf(login: string): Owner {
  return { login, kind: login.startsWith(GROUP_PREFIX) ? 'team' : 'user' }
}

/** What cargo prints as the owners of a crate: users and teams. */
export function renderOwners(owners: readonly Owner[]): { readonly users: readonly ApiOwner[] } {
  return { users: owners.map(renderOwner) }
}

export function renderOwnerUsers(owners: readonly Owner[]): { readonly users: readonly ApiOwner[] } {
  return renderOwners(owners.filter(({ kind }) => kind === 'user'))
}

export function renderOwnerTeams(owners: readonly Owner[]): { readonly teams: readonly ApiOwner[] } {
  return { teams: owners.filter(({ kind }) => kind === 'team').map(renderOwner) }
}

/** A user in crates.io's shape. */
export function renderUser(login: string): Omit<ApiOwner, 'kind'> {
  const { kind: _, ...user } = renderOwner({ login, kind: 'user' })
  return user
}

function renderOwner({ login, kind, id, name, avatar, url }: Owner): ApiOwner {
  return {
    id: id ?? ownerId(login),
    login,
    kind,
    name: name ?? null,
    avatar: avatar ?? null,
    // Users have no pages here, but clients insist on text.
    url: url ?? '',
  }
}

/** cargo demands a 32-bit number; derived from the login, it needs no table and stays the same. */
function ownerId(login: string): number {
  return createHash('sha256').update(login).digest().readUInt32BE(0)
}
