/** Every way a request can fail, with the HTTP status it is answered with. */
const STATUS = {
  invalid_request: 400,
  invalid_name: 400,
  invalid_version: 400,
  invalid_requirement: 400,
  invalid_body: 400,
  invalid_metadata: 400,
  invalid_tarball: 400,
  invalid_manifest: 400,
  invalid_dependency: 400,
  invalid_owner: 400,
  policy: 400,
  invalid_credential: 401,
  login_required: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  already_exists: 409,
  length_required: 411,
  too_large: 413,
  range_not_satisfiable: 416,
  too_many_requests: 429,
  internal: 500,
  not_supported: 501,
  unavailable: 503,
  checksum_mismatch: 503,
  storage_full: 507,
} as const satisfies Record<string, number>

export type ErrorCode = keyof typeof STATUS

export interface ErrorOptions {
  readonly cause?: unknown
  /** Seconds after which a client may try again; sent as `Retry-After`. */
  readonly retryAfter?: number
  /** Further response headers, such as `Allow` or `Content-Range`. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * A failure that is told to the client: `code` decides the status, `detail` is the text cargo prints.
 * The detail is lower case, names the offending value in backticks, says what is wanted, and has no final period.
 */
export class CargoError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly retryAfter: number | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ErrorCode, detail: string, options: ErrorOptions = {}) {
    super(detail, { cause: options.cause })
    this.name = 'CargoError'
    this.code = code
    this.status = STATUS[code]
    this.retryAfter = options.retryAfter ?? (this.status === 503 ? 2 : undefined)
    this.headers = options.headers ?? {}
  }
}

/** Whether `error` is the operating system's error `code`, such as `ENOENT`. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
