import { hash, randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { LRUCache } from 'lru-cache'
import { CargoError } from '../errors.ts'
import type { ObjectStore } from '../host.ts'
import { parseGrant, type Token, type TokenGrant, tokenOf } from './token-scope.ts'

const FOLDER = 'tokens/'
const TOKEN_ID = /^[0-9a-f]{16}$/
const TOKEN = /^vcargo_[A-Za-z0-9_-]{43}$/

/** A revoked token is refused everywhere after this many milliseconds, and a second in which it may be recalled. */
const KNOWN_FOR = 59_000
/** A new token works everywhere after this many milliseconds. */
const UNKNOWN_FOR = 5_000
const MAX_CACHED = 10_000

/** What is kept of a token: everything but the token. */
export interface TokenRecord extends TokenGrant {
  /** The first 16 digits of the token's hash. */
  readonly id: string
  /** RFC 3339. */
  readonly created: string
}

/** Finds tokens by their text. */
export interface TokenLookup {
  /**
   * `undefined` for a token that does not exist; an expired one is still found.
   * @throws {CargoError} `unavailable` when the store does not say.
   */
  find(token: string): Promise<Token | undefined>
  /** What is remembered of tokens with this id is asked for again. */
  forget(id: string): void
}

/** The hex SHA-256 of a token: all that is ever stored, cached or compared of it. */
export function hashToken(token: string): string {
  return hash('sha256', token)
}

/** The part of a token's hash that may be shown. */
export function tokenId(hash: string): string {
  return hash.slice(0, 16)
}

/**
 * Makes a token. Its text is in the answer only, and cannot be had again.
 * @throws {Error} for a bad grant.
 */
export async function createToken(
  store: ObjectStore,
  grant: TokenGrant,
  now: Date = new Date(),
): Promise<{ readonly token: string; readonly record: TokenRecord }> {
  const token = `vcargo_${randomBytes(32).toString('base64url')}`
  const hash = hashToken(token)
  const record = { id: tokenId(hash), created: now.toISOString(), ...parseGrant(grant) }
  tokenOf(record.id, record)
  await store.put(keyOf(hash), Buffer.from(`${JSON.stringify(record)}\n`), { ifAbsent: true })
  return { token, record }
}

/** A stored token that cannot be read. */
export class DamagedTokenError extends Error {
  constructor(key: string, options: ErrorOptions) {
    super(`damaged token object \`${FOLDER}${tokenId(key.slice(FOLDER.length))}…\``, options)
    this.name = 'DamagedTokenError'
  }
}

/**
 * All tokens, expired ones too, the oldest first.
 * @throws {DamagedTokenError} unless `onDamage` takes note of it
 */
export async function listTokens(
  store: ObjectStore,
  onDamage?: (error: DamagedTokenError) => void,
): Promise<readonly TokenRecord[]> {
  const records: TokenRecord[] = []
  for await (const { key } of store.list(FOLDER)) {
    try {
      const record = await readRecord(store, key)
      if (record !== undefined) records.push(record)
    } catch (error) {
      if (onDamage === undefined || !(error instanceof DamagedTokenError)) throw error
      onDamage(error)
    }
  }
  return records.sort((a, b) => (a.created < b.created ? -1 : 1))
}

/** The token with this id, if there is one. */
export async function findToken(store: ObjectStore, id: string): Promise<TokenRecord | undefined> {
  if (!TOKEN_ID.test(id)) return undefined
  for await (const { key } of store.list(FOLDER + id)) return readRecord(store, key)
  return undefined
}

/** Takes a token back, within a minute for every process; whether there was one. */
export async function revokeToken(store: ObjectStore, id: string): Promise<boolean> {
  if (!TOKEN_ID.test(id)) return false
  let found = false
  for await (const { key } of store.list(FOLDER + id)) {
    await store.delete(key)
    found = true
  }
  return found
}

/** Lookups in a store of tokens, with a bounded memory of recent answers. `now` is in milliseconds. */
export function tokenLookup(store: ObjectStore, now: () => number = Date.now): TokenLookup {
  const answers = new LRUCache<string, { readonly token: Token | undefined; readonly until: number }>({
    max: MAX_CACHED,
  })
  const pending = new Map<string, Promise<Token | undefined>>()

  async function fetch(hash: string): Promise<Token | undefined> {
    const asked = now()
    const record = await readRecord(store, keyOf(hash)).catch(storeFailed)
    const token = record === undefined ? undefined : tokenOf(record.id, record)
    answers.set(hash, { token, until: asked + (token === undefined ? UNKNOWN_FOR : KNOWN_FOR) })
    return token
  }

  return {
    async find(text) {
      // Nothing else was ever made here; a guess need not reach the store.
      if (!TOKEN.test(text)) return undefined
      const hash = hashToken(text)
      const known = answers.get(hash)
      if (known !== undefined && now() < known.until) return known.token
      const running = pending.get(hash) ?? fetch(hash).finally(() => pending.delete(hash))
      pending.set(hash, running)
      return running
    },
    forget(id) {
      for (const hash of answers.keys()) if (tokenId(hash) === id) answers.delete(hash)
    },
  }
}

function storeFailed(cause: unknown): never {
  throw new CargoError('unavailable', 'tokens cannot be checked at the moment', { cause })
}

function keyOf(hash: string): string {
  return `${FOLDER}${hash}.json`
}

async function readRecord(store: ObjectStore, key: string): Promise<TokenRecord | undefined> {
  const object = await store.get(key)
  if (object === undefined) return undefined
  const text = (await buffer(object.body)).toString()
  try {
    const value: unknown = JSON.parse(text)
    const record = { id: tokenId(key.slice(FOLDER.length)), created: createdOf(value), ...parseGrant(value) }
    tokenOf(record.id, record)
    return record
  } catch (cause) {
    throw new DamagedTokenError(key, { cause })
  }
}

function createdOf(value: unknown): string {
  const created =
    typeof value === 'object' && value !== null && 'created' in value ? value.created : undefined
  if (typeof created !== 'string') throw new Error('invalid `created`: must be a time')
  return created
}
