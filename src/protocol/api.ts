import { CargoError } from '../errors.ts'
import { isValidName } from './name.ts'
import { isPlainText, quote } from './text.ts'
import { isValidSemver } from './version.ts'

/** How many hits a search returns when the client does not say, and at most. */
export const DEFAULT_PER_PAGE = 10
export const MAX_PER_PAGE = 100

/** Cargo reads the total of a search as a 32-bit number. */
const MAX_TOTAL = 2 ** 32 - 1

/** More owners in one request are a mistake or an attack. */
const MAX_LOGINS = 100
const MAX_LOGIN_LENGTH = 128

/** The body of every failed request; cargo prints the details, joined with commas. */
export interface ErrorBody {
  readonly errors: readonly { readonly detail: string }[]
}

/** The answer to yank, unyank and changes of owners; cargo panics at `ok: false`, and wants `msg` for owners. */
export interface OkResponse {
  readonly ok: true
  readonly msg?: string
}

/** A crate in a list. Cargo reads the first three; the others are known of crates whose registry tells them. */
export interface SearchHit {
  readonly name: string
  /** The highest that is not yanked, pre-releases included; crates.io's web API means the same. */
  readonly max_version: string
  readonly description: string | null
  /** The one that is shown: no pre-release, if there is a release. Absent: `max_version`. */
  readonly default_version?: string
  readonly newest_version?: string
  readonly num_versions?: number
  readonly yanked?: boolean
  /** RFC 3339. */
  readonly created_at?: string
  readonly updated_at?: string
  readonly homepage?: string
  readonly documentation?: string
  readonly repository?: string
}

export interface SearchResponse {
  readonly crates: readonly SearchHit[]
  /** `total` counts all matches, not only those of this page. */
  readonly meta: { readonly total: number }
}

/** The answer to a publish. Of the three lists cargo prints only `other` in our own words. */
export interface PublishResponse {
  readonly warnings: {
    readonly invalid_categories: readonly string[]
    readonly invalid_badges: readonly string[]
    readonly other: readonly string[]
  }
}

export function errorBody(details: string | readonly string[]): ErrorBody {
  const list = typeof details === 'string' ? [details] : details
  return { errors: list.map((detail) => ({ detail })) }
}

export function ok(msg?: string): OkResponse {
  return msg === undefined ? { ok: true } : { ok: true, msg }
}

/** The answer to a publish that was accepted with `warnings`. */
export function renderPublished(warnings: readonly string[] = []): PublishResponse {
  return { warnings: { invalid_categories: [], invalid_badges: [], other: warnings } }
}

export function renderSearch(crates: readonly SearchHit[], total: number): SearchResponse {
  return { crates, meta: { total } }
}

/**
 * The logins that a request adds or removes, each once.
 * @throws {CargoError} `invalid_request` when the body is not `{"users": ["…"]}`, `invalid_owner` for an unusable login
 */
export function parseOwnersRequest(value: unknown): string[] {
  const users =
    typeof value === 'object' && value !== null && Object.hasOwn(value, 'users') && 'users' in value
      ? value.users
      : undefined
  if (!Array.isArray(users) || users.length === 0 || users.length > MAX_LOGINS) {
    throw new CargoError(
      'invalid_request',
      `invalid body: must be \`{"users": ["login"]}\` with 1 to ${MAX_LOGINS} logins`,
    )
  }
  return [...new Set(users.map(parseLogin))]
}

/** The words of a search: cargo joins several with `+` before it encodes them (protocol.md 4.1). */
export function searchTerms(q: string): string[] {
  return [...new Set(q.split(/[+\s]+/u).filter((term) => term !== ''))]
}

/**
 * How many hits to return, 10 when `value` is absent. More than crates.io gives are refused as there: whoever got fewer
 * than were asked for would take them for all.
 * @throws {CargoError} `invalid_request` when `value` is not a number in digits, or over 100
 */
export function parsePerPage(value: string | undefined): number {
  if (value === undefined) return DEFAULT_PER_PAGE
  if (/^[0-9]+$/.test(value) && Number(value) <= MAX_PER_PAGE) return Number(value)
  throw new CargoError(
    'invalid_request',
    `invalid per_page ${quote(value)}: must be a number from 0 to ${MAX_PER_PAGE}`,
  )
}

/** @throws {CargoError} `invalid_owner` for a login that no user can have */
export function validateLogin(login: string): string {
  if (login !== '' && login.length <= MAX_LOGIN_LENGTH && isPlainText(login)) return login
  throw new CargoError(
    'invalid_owner',
    `invalid owner ${quote(login)}: must have 1 to ${MAX_LOGIN_LENGTH} characters, none of them a control character`,
  )
}

function parseLogin(login: unknown): string {
  if (typeof login === 'string') return validateLogin(login)
  // What is in an object nobody knows: it may be a token.
  const told = typeof login === 'object' ? '' : ` ${quote(String(login))}`
  throw new CargoError('invalid_request', `invalid login${told}: must be a string`)
}

/** The hits of another registry's answer to a search, in crates.io's shape; `undefined` when it has another. */
export function parseSearchResponse(bytes: Uint8Array): SearchResponse | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
  const { crates, meta } = (value ?? {}) as { readonly crates?: unknown; readonly meta?: { total?: unknown } }
  if (!Array.isArray(crates)) return undefined
  const hits = crates.flatMap(parseHit)
  const total = Number.isInteger(meta?.total) ? Number(meta?.total) : 0
  return renderSearch(hits, Math.min(MAX_TOTAL, Math.max(hits.length, total)))
}

function parseHit(value: unknown): SearchHit[] {
  const hit = (value ?? {}) as Readonly<Record<string, unknown>>
  const { name, max_version, description, num_versions } = hit
  if (typeof name !== 'string' || !isValidName(name)) return []
  if (typeof max_version !== 'string' || !isValidSemver(max_version)) return []
  return [
    {
      ...{ name, max_version, description: typeof description === 'string' ? description : null },
      ...texts(hit, ['default_version', 'newest_version'], isValidSemver),
      ...(typeof num_versions === 'number' && { num_versions }),
      ...(hit['yanked'] === true && { yanked: true }),
      ...texts(hit, ['homepage', 'documentation', 'repository'], isPlainText),
      ...texts(hit, ['created_at', 'updated_at'], (time) => !Number.isNaN(Date.parse(time))),
    },
  ]
}

/** Those of the fields that are text, and pass. */
function texts<K extends string>(
  value: Readonly<Record<string, unknown>>,
  keys: readonly K[],
  isSound: (text: string) => boolean,
): Partial<Record<K, string>> {
  const found = keys.filter((key) => typeof value[key] === 'string' && isSound(String(value[key])))
  return Object.fromEntries(found.map((key) => [key, String(value[key])])) as Partial<Record<K, string>>
}
