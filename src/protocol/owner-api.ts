import { createHash } from 'node:crypto'
import { asRecord, lineIn, numberIn, parseRecord, urlIn } from './foreign-json.ts'
import { GROUP_PREFIX } from './ownership.ts'

/** cargo reads numbers of 32 bits. */
const MAX_ID = 2 ** 32 - 1
/** Characters. */
const MAX_LOGIN = 128
/** More owners than any crate has. */
const MAX_OWNERS = 200

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

/** The owners in another registry's answer, as far as they can be read; `undefined` when it is no such answer. */
export function parseOwners(bytes: Uint8Array): readonly Owner[] | undefined {
  const users = parseRecord(bytes)?.['users']
  return Array.isArray(users) ? users.slice(0, MAX_OWNERS).flatMap(parseOwner) : undefined
}

function parseOwner(value: unknown): Owner[] {
  const fields = asRecord(value)
  const login = lineIn(fields['login'], MAX_LOGIN)
  if (login === undefined) return []
  const id = numberIn(fields['id'])
  return [
    {
      login,
      kind: fields['kind'] === 'team' ? 'team' : 'user',
      id: id !== undefined && id <= MAX_ID ? id : undefined,
      name: lineIn(fields['name'], MAX_LOGIN),
      avatar: urlIn(fields['avatar']),
      url: urlIn(fields['url']),
    },
  ]
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
