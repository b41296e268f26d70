import { hash, timingSafeEqual } from 'node:crypto'
import type { Action } from '../host.ts'
import { parseGrant, type Token, tokenOf } from './token-scope.ts'
import { hashToken, tokenId } from './tokens.ts'

/** A token of the configuration; either `token` or `token_sha256`, hexadecimal, must be there. */
export interface StaticToken {
  readonly token?: string
  readonly token_sha256?: string
  readonly user: string
  readonly groups?: readonly string[]
  readonly expires?: string
  readonly crates?: readonly string[]
  readonly actions?: readonly Action[]
}

/**
 * Lookups in the configuration's tokens, whose time tells nothing of the tokens.
 * @throws {Error} for a bad entry, naming its position and field, never the token.
 */
export function staticTokenLookup(entries: readonly StaticToken[]): (token: string) => Token | undefined {
  const known = entries.map((entry, i) => {
    try {
      const hash = hashOf(entry)
      return { hash: Buffer.from(hash, 'hex'), token: tokenOf(tokenId(hash), parseGrant(entry)) }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`token ${i + 1} of the configuration: ${reason}`, { cause })
    }
  })
  return (text) => {
    const asked = hash('sha256', text, 'buffer')
    let found: Token | undefined
    // All are compared, also after a match.
    for (const entry of known) {
      if (timingSafeEqual(entry.hash, asked)) found = entry.token
    }
    return found
  }
}

function hashOf({ token, token_sha256: hash }: StaticToken): string {
  if ((token === undefined) === (hash === undefined)) {
    throw new Error('one of `token` and `token_sha256` must be given, and not both')
  }
  if (token !== undefined) {
    if (!/^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/.test(token)) {
      throw new Error('invalid `token`: must be printable ASCII, and must not begin or end with a space')
    }
    return hashToken(token)
  }
  if (hash === undefined || !/^[0-9a-f]{64}$/i.test(hash)) {
    throw new Error('invalid `token_sha256`: must be 64 hexadecimal digits')
  }
  return hash.toLowerCase()
}
