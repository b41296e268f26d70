import { CargoError } from '../errors.ts'
import type { AuditEntry } from './audit-entry.ts'
import { type CrateName, namesCollide, validateName } from './name.ts'
import { quote } from './text.ts'
import { timeOf } from './time.ts'

const KINDS = ['publish', 'yank', 'unyank', 'owners', 'remove', 'damaged', 'download'] as const
const FORMATS = ['json', 'ndjson'] as const
const KEYS = ['crate', 'kind', 'by', 'since', 'until', 'per_page', 'after', 'format']
const DEFAULT_PER_PAGE = 100
const MAX_PER_PAGE = 1000

/** What an auditor wants to see; what is absent does not matter. */
export interface AuditQuery {
  /** In any spelling. */
  readonly crate?: CrateName
  /** `download` for those, else changes. */
  readonly kind?: AuditEntry['kind']
  /** A principal's name, exactly. */
  readonly by?: string
  /** Milliseconds since 1970, from the first on and before the second. */
  readonly since?: number
  readonly until?: number
  readonly perPage: number
  /** Where the page before ended. */
  readonly after?: string
  readonly format?: (typeof FORMATS)[number]
}

/** @throws {CargoError} `invalid_request` or `invalid_name` for what cannot be asked: no filter is silently left out */
export function parseAuditQuery(params: URLSearchParams): AuditQuery {
  for (const key of params.keys()) {
    if (!KEYS.includes(key)) throw invalid('parameter', key, `must be one of \`${KEYS.join('`, `')}\``)
    if (params.getAll(key).length > 1) throw invalid('parameter', key, 'must be given once')
  }
  const [crate, by, after] = ['crate', 'by', 'after'].map((key) => params.get(key) ?? undefined)
  const kind = oneOf('kind', KINDS, params)
  const format = oneOf('format', FORMATS, params)
  const [since, until] = [timeIn('since', params), timeIn('until', params)]
  return {
    ...(crate !== undefined && { crate: validateName(crate) }),
    ...(kind !== undefined && { kind }),
    ...(by !== undefined && { by }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    perPage: perPageIn(params),
    ...(after !== undefined && { after }),
    ...(format !== undefined && { format }),
  }
}

/** Whether an entry is wanted. Of a damaged one nobody knows whose it is and when it was: it always is. */
export function isWanted({ crate, kind, by, since, until }: AuditQuery, entry: AuditEntry): boolean {
  if (crate !== undefined && !namesCollide(crate, entry.crate)) return false
  if (kind !== undefined && kind !== entry.kind) return false
  if (entry.kind === 'damaged') return true
  const at = Date.parse(entry.at)
  return (
    (by === undefined || by === entry.by) &&
    (since === undefined || at >= since) &&
    (until === undefined || at < until)
  )
}

/** @throws {CargoError} `invalid_request`: the value of `after` is no page's end */
export function invalidCursor(after: string): CargoError {
  return invalid('after', after, 'must be the `next` of an answer to the same query')
}

function oneOf<T extends string>(key: string, values: readonly T[], params: URLSearchParams): T | undefined {
  const text = params.get(key)
  const found = values.find((value) => value === text)
  if (text === null || found !== undefined) return found
  throw invalid(key, text, `must be one of \`${values.join('`, `')}\``)
}

function timeIn(key: string, params: URLSearchParams): number | undefined {
  const text = params.get(key)
  if (text === null) return undefined
  const time = timeOf(text)
  if (!Number.isNaN(time)) return time
  throw invalid(key, text, 'must be a time such as `2027-01-31T12:00:00Z`, or a day such as `2027-01-31`')
}

function perPageIn(params: URLSearchParams): number {
  const text = params.get('per_page') ?? String(DEFAULT_PER_PAGE)
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= MAX_PER_PAGE) return count
  throw invalid('per_page', text, `must be a number from 1 to ${MAX_PER_PAGE}`)
}

function invalid(what: string, value: string, wanted: string): CargoError {
  return new CargoError('invalid_request', `invalid ${what} ${quote(value)}: ${wanted}`)
}
