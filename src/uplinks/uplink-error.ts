import { CargoError, type ErrorOptions } from '../errors.ts'

/**
 * What is wrong: the uplink is `away` (not reached, too slow, 5xx), a body was `cut`, the answer is `foreign` (no
 * answer of a registry), we are `limited` (429), or the egress guard `refused` an address.
 */
export type Fault = 'away' | 'cut' | 'foreign' | 'limited' | 'refused'

/** A failure of an uplink: `too_many_requests` when it limits us, else `unavailable`; the detail names the uplink. */
export class UplinkError extends CargoError {
  readonly fault: Fault

  constructor(uplink: string, fault: Fault, what: string, options: ErrorOptions = {}) {
    super(fault === 'limited' ? 'too_many_requests' : 'unavailable', `uplink \`${uplink}\` ${what}`, options)
    this.name = 'UplinkError'
    this.fault = fault
  }
}

const PHRASES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'cannot be found by its name',
  EAI_AGAIN: 'cannot be found by its name',
  ECONNREFUSED: 'refuses connections',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  ETIMEDOUT: 'does not answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'does not answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'does not answer in time',
  UND_ERR_BODY_TIMEOUT: 'stopped sending',
  UND_ERR_HEADERS_OVERFLOW: 'sends too many headers',
}

const TLS_CODE = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|EPROTO)/
/** Codes of a connection that ended under a request: often one that was idle, so one more try is worth it. */
const BROKEN = new Set([
  'UND_ERR_SOCKET',
  'ECONNRESET',
  'EPIPE',
  'ERR_HTTP2_SESSION_ERROR',
  'ERR_HTTP2_GOAWAY_SESSION',
])

/** The failure of a connection as an {@link UplinkError}; one of ours is returned as it is. */
export function toUplinkError(uplink: string, cause: unknown, fault: Fault = 'away'): UplinkError {
  if (cause instanceof UplinkError) return cause
  const code = errorCode(cause)
  const tls = TLS_CODE.test(code) ? `fails the TLS handshake (${code})` : undefined
  const phrase = PHRASES[code] ?? tls ?? `breaks the connection${code === '' ? '' : ` (${code})`}`
  return new UplinkError(uplink, fault, phrase, { cause })
}

/** Whether the connection ended before an answer came. */
export function isBrokenConnection(error: unknown): boolean {
  return BROKEN.has(errorCode(error))
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
