import { parseSearchResponse, type SearchResponse } from '../protocol/api.ts'
import { type Owner, parseOwners } from '../protocol/owner-api.ts'
import { parseUpstreamAbout, type UpstreamAbout } from '../protocol/upstream-about.ts'

const MiB = 1024 * 1024
/** A page of a hundred hits, or a crate of some thousand versions; to parse more would hold up everybody else. */
const MAX_ANSWER = 4 * MiB
/** What is wanted of the answer; counting downloads would cost the uplink more than the rest. */
const ABOUT_PARTS = 'versions,keywords,categories'

/** A question to a web API. */
export interface ApiQuestion<T> {
  readonly kind: 'search' | 'about'
  /** Below `/api/v1/crates`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Bytes. */
  readonly maxAnswer: number
  /** `undefined` for what is no such answer. */
  readonly parse: (body: Buffer) => T | undefined
}

/** What an uplink's web API tells; `undefined` when it has none. */
export interface WebApi {
  search(query: {
    readonly q: string
    /** As crates.io calls it; absent: the uplink's own. */
    readonly sort?: string
    readonly perPage: number
    readonly page: number
  }): Promise<SearchResponse | undefined>
  /** What its index does not tell of a crate; `undefined` also when there is no such crate. */
  about(crate: string): Promise<UpstreamAbout | undefined>
  /** Who owns a crate there; `undefined` also when there is no such crate. */
  owners(crate: string): Promise<readonly Owner[] | undefined>
}

/** The questions of crates.io's API, which `ask` asks. */
export function createWebApi(ask: <T>(question: ApiQuestion<T>) => Promise<T | undefined>): WebApi {
  return {
    search: ({ q, sort, perPage, page }) =>
      ask({
        kind: 'search',
        path: '',
        query: { q, ...(sort !== undefined && { sort }), per_page: String(perPage), page: String(page) },
        maxAnswer: MAX_ANSWER,
        parse: parseSearchResponse,
      }),
    about: (crate) =>
      ask({
        kind: 'about',
        path: `/${crate}`,
        query: { include: ABOUT_PARTS },
        maxAnswer: MAX_ANSWER,
        parse: (body) => parseUpstreamAbout(crate, body),
      }),
    owners: (crate) => ask({ kind: 'about', path: `/${crate}/owners`, maxAnswer: MiB, parse: parseOwners }),
  }
}
