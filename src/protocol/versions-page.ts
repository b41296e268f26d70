import { CargoError } from '../errors.ts'
import { parsePerPage } from './api.ts'
import type { ApiContext } from './crate-api.ts'
import { type CrateView, highestFirst, latestFirst, type VersionView } from './crate-view.ts'
import { quote } from './text.ts'
import { renderVersion, versionId } from './version-api.ts'

/** The versions of a crate that are asked for. */
export interface VersionsQuery {
  readonly sort: 'semver' | 'date'
  /** These numbers only. */
  readonly nums?: ReadonlySet<string>
  /** Absent: all of them. */
  readonly perPage?: number
  /** The id of the version after which the page begins. */
  readonly seek?: number
  /** From 1 on; for those who count pages instead of seeking. */
  readonly page: number
  /** The rest of the query, which the next page's has as well. */
  readonly others: readonly [string, string][]
}

/**
 * Reads `?sort=date&nums[]=1.0.0&per_page=10&seek=…`.
 * @throws {CargoError} `invalid_request` naming what cannot be read
 */
export function parseVersionsQuery(query: URLSearchParams): VersionsQuery {
  const nums = query.getAll('nums[]')
  const perPage = query.get('per_page')
  const seek = query.get('seek')
  return {
    sort: parseSort(query.get('sort') ?? 'semver'),
    ...(nums.length > 0 && { nums: new Set(nums) }),
    ...(perPage !== null && { perPage: parsePerPage(perPage) }),
    ...(seek !== null && { seek: parseNumber('seek', seek) }),
    page: parseNumber('page', query.get('page') ?? '1'),
    others: [...query].filter(([key]) => key !== 'seek' && key !== 'page'),
  }
}

/** The answer to `GET /api/v1/crates/{crate}/versions`: one page when `per_page` is given, else everything. */
export function renderVersionsPage(view: CrateView, query: VersionsQuery, context: ApiContext) {
  const { sort, nums } = query
  const inOrder = sort === 'date' ? latestFirst(view) : highestFirst(view)
  const wanted = nums === undefined ? inOrder : inOrder.filter(({ entry }) => nums.has(entry.vers))
  const shown = pageOf(view, wanted, query)
  const last = shown.at(-1)
  const isMore = last !== undefined && last !== wanted.at(-1)
  const next = isMore ? nextPage(query, versionId(view, last.entry.vers)) : null
  return {
    versions: shown.map((version) => renderVersion(view, version, context)),
    meta: { total: wanted.length, next_page: next },
  }
}

function pageOf(
  view: CrateView,
  versions: readonly VersionView[],
  { perPage, seek, page }: VersionsQuery,
): readonly VersionView[] {
  if (perPage === undefined) return versions
  const from =
    seek === undefined
      ? (page - 1) * perPage
      : versions.findIndex(({ entry }) => versionId(view, entry.vers) === seek) + 1
  // Whatever a seek that is of no version was after, it is not the first page again.
  if (seek !== undefined && from === 0) return []
  return versions.slice(from, from + perPage)
}

function nextPage({ others }: VersionsQuery, seek: number): string {
  const query = new URLSearchParams([...others, ['seek', String(seek)]])
  return `?${query}`
}

function parseSort(sort: string): VersionsQuery['sort'] {
  if (sort === 'semver' || sort === 'date') return sort
  throw new CargoError('invalid_request', `invalid sort ${quote(sort)}: must be \`semver\` or \`date\``)
}

function parseNumber(key: string, text: string): number {
  if (/^(?:0|[1-9]\d{0,9})$/.test(text) && !(key === 'page' && text === '0')) return Number(text)
  throw new CargoError('invalid_request', `invalid ${key} ${quote(text)}: must be a number`)
}
