import { CargoError, type ErrorOptions } from '../errors.ts'

/**
 * What is wrong: the uplink is `away` (not reached, too slow, 5xx), a body was `cut`, the answer is `foreign` (no
 * answer of a registry), we are `limited` (429), or the egress guard `refused` an address.
 */
export type Fault = 'away' | 'cut' | 'foreign' | 'limited' | 'refused'

export interface UplinkErrorOptions extends ErrorOptions {
  /** The URL where nothing is, without its query and credentials. */
  readonly absent?: string
}

/** A failure of an uplink: `too_many_requests` when it limits us, else `unavailable`; the detail names the uplink. */
export class UplinkError extends CargoError {
  readonly fault: Fault
  /** The URL where nothing is, when that is the fault: for the operator, clients are not told. */
  readonly absent?: string

  constructor(uplink: string, fault: Fault, what: string, options: UplinkErrorOptions = {}) {
    super(fault === 'limited' ? 'too_many_requests' : 'unavailable', `uplink \`${uplink}\` ${what}`, options)
    this.name = 'UplinkError'
    this.fault = fault
    if (options.absent !== undefined) this.absent = options.absent
  }
}

const NO_NAME = 'cannot be found by its name'
const NO_WAY = 'cannot be reached'
const TOO_LATE = 'does not answer in time'
const STOPPED = 'is not asked any more: the registry stops'
const GIVEN_UP = 'was given up, or its proxy refuses the connection'

/** What an error says by its code, of the system or of undici, or as the reason of a signal. */
const PHRASES: Readonly<Record<string, string>> = {
  ENOTFOUND: NO_NAME,
  EAI_AGAIN: NO_NAME,
  EAI_FAIL: NO_NAME,
  ECONNREFUSED: 'refuses connections',
  EHOSTUNREACH: NO_WAY,
  EHOSTDOWN: NO_WAY,
  ENETUNREACH: NO_WAY,
  ENETDOWN: NO_WAY,
  EADDRNOTAVAIL: NO_WAY,
  EACCES: NO_WAY,
  EPERM: NO_WAY,
  ETIMEDOUT: TOO_LATE,
  TimeoutError: TOO_LATE,
  UND_ERR_CONNECT_TIMEOUT: TOO_LATE,
  UND_ERR_HEADERS_TIMEOUT: TOO_LATE,
  UND_ERR_BODY_TIMEOUT: 'stopped sending',
  UND_ERR_HEADERS_OVERFLOW: 'sends too many headers',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'sends less than it announced',
  UND_ERR_PRX_CONN: `${NO_WAY}: its proxy breaks the connection`,
  UND_ERR_PRX_TLS: `${NO_WAY}: its proxy has a certificate for another name`,
  UND_ERR_INVALID_ARG: 'cannot be asked: a header is malformed, or its proxy wants a login',
  UND_ERR_DESTROYED: STOPPED,
  UND_ERR_CLOSED: STOPPED,
  UND_ERR_ABORTED: GIVEN_UP,
  AbortError: GIVEN_UP,
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for another name',
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
  CERT_NOT_YET_VALID: 'has a certificate that is not valid yet',
}

/** Families of codes, the first match wins; the code is told too. */
const FAMILIES: readonly (readonly [RegExp, string])[] = [
  // https://nodejs.org/api/tls.html#x509-certificate-error-codes
  [/^(CERT|CRL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|INVALID|PATH)_/, 'has a certificate that is not trusted'],
  [/^(ERR_TLS|ERR_SSL|EPROTO)/, 'fails the TLS handshake'],
  [/^(HPE_|HTTPParserError)/, 'does not speak HTTP'],
]

/** Codes of a connection or stream that ended under a request: often one that was idle, so one more try is worth it. */
const BROKEN = new Set([
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  'UND_ERR_INFO',
  'ERR_HTTP2_GOAWAY_SESSION',
  'ERR_HTTP2_INVALID_SESSION',
  'ERR_HTTP2_SESSION_ERROR',
  'ERR_HTTP2_STREAM_ERROR',
])

/** The failure of a connection as an {@link UplinkError}; one of ours is returned as it is. */
export function toUplinkError(uplink: string, cause: unknown, fault: Fault = 'away'): UplinkError {
  if (cause instanceof UplinkError) return cause
  return new UplinkError(uplink, fault, connectionProblem(cause), { cause })
}

/** What is wrong with a connection that failed, as a phrase that goes on after the name of the other side. */
export function connectionProblem(cause: unknown): string {
  return phraseFor(errorCode(cause))
}

/** Whether the connection ended under a request, so that it may be sent once more when no answer came. */
export function isBrokenConnection(error: unknown): boolean {
  return BROKEN.has(errorCode(error))
}

function phraseFor(code: string): string {
  if (Object.hasOwn(PHRASES, code)) return PHRASES[code] ?? ''
  const phrase = FAMILIES.find(([codes]) => codes.test(code))?.[1] ?? 'breaks the connection'
  return code === '' ? phrase : `${phrase} (${code})`
}

/** The code of an error, else its class. */
function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return ''
  // The reason of a signal has a number for a code, and undici's parser none.
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
