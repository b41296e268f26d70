import { CargoError } from '../errors.ts'

/** What an `Authorization` header carries. Secret: must never be logged or put into an error. */
export type Credential =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }

/** Longer than any token or password in use; bounds the work that an unauthenticated client can ask for. */
const MAX_CREDENTIAL_LENGTH = 4096

/**
 * Reads an `Authorization` header: cargo sends the bare token, other clients `Bearer`, `Token` or `Basic`.
 * @throws {CargoError} `invalid_credential` when it is none of these; the error does not repeat the value.
 */
export function parseCredential(header: string): Credential {
  // cargo sends tokens of these bytes only (`check_token`), https://doc.rust-lang.org/cargo/reference/registry-web-api.html
  if (header.length > MAX_CREDENTIAL_LENGTH || !/^[\t\x20-\x7e]*$/.test(header)) throw malformed()
  const value = header.trim()
  const match = /^(bearer|token|basic)(?:[ \t]+(.*))?$/i.exec(value)
  if (match === null) return token(value)
  const rest = match[2] ?? ''
  return match[1]?.toLowerCase() === 'basic' ? basic(rest) : token(rest)
}

function token(value: string): Credential {
  if (value === '') throw malformed()
  return { kind: 'token', token: value }
}

function basic(encoded: string): Credential {
  // Padding is optional: some clients leave it out.
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) throw malformed()
  const text = decode(Buffer.from(encoded, 'base64'))
  const colon = text.indexOf(':')
  if (colon < 0) throw malformed()
  return { kind: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** RFC 7617, section 2: UTF-8 without control characters. */
function decode(bytes: Uint8Array): string {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw malformed()
  }
  if (/\p{Cc}/u.test(text)) throw malformed()
  return text
}

function malformed(): CargoError {
  return new CargoError(
    'invalid_credential',
    'invalid `Authorization` header: must be a token, or `Bearer`, `Token` or `Basic` and a credential',
  )
}
