import type { SearchHit, SearchResponse } from '../protocol/api.ts'
import { canonicalName } from '../protocol/name.ts'
import type { Access, Caller } from './access.ts'
import type { Catalogue, CatalogueEntry } from './catalogue.ts'

export interface SearchQuery {
  /** All must occur, each in the name, the description or a keyword. No terms: every crate. */
  readonly terms: readonly string[]
  readonly perPage: number
  /** From 1 on. */
  readonly page: number
}

/** A part of what uplinks have. */
export interface UpstreamQuery {
  readonly terms: readonly string[]
  /** Hits to leave out, and to return at most. */
  readonly offset: number
  readonly count: number
}

/** What uplinks find; nothing that is local. */
export interface UpstreamSearch {
  find(query: UpstreamQuery, mayRead: (crate: string) => Promise<boolean>): Promise<UpstreamHits>
}

export interface UpstreamHits {
  readonly hits: readonly SearchHit[]
  readonly total: number
}

export interface SearchDeps {
  readonly catalogue: Catalogue
  readonly access: Access
  readonly upstream?: UpstreamSearch
}

/** The crates that match and that the caller may read, local ones first, best first; the total counts no others. */
export async function searchCrates(
  { catalogue, access, upstream }: SearchDeps,
  caller: Caller,
  { terms, perPage, page }: SearchQuery,
): Promise<SearchResponse> {
  const mayRead = (crate: string) => access.may(caller, 'read', crate)
  const local = await matching(await catalogue.entries(), terms, mayRead)
  const [from, to] = [(page - 1) * perPage, page * perPage]
  const own = local.slice(from, to).map(hitOf)
  const more = await upstream?.find(
    { terms, offset: Math.max(0, from - local.length), count: perPage - own.length },
    mayRead,
  )
  return { crates: [...own, ...(more?.hits ?? [])], meta: { total: local.length + (more?.total ?? 0) } }
}

/** The entries that match all terms and that may be read, best first. */
export async function matching(
  entries: Iterable<CatalogueEntry>,
  terms: readonly string[],
  mayRead: (crate: string) => Promise<boolean>,
): Promise<readonly CatalogueEntry[]> {
  const wanted = terms.map(canonicalName)
  const found: { readonly entry: CatalogueEntry; readonly rank: number }[] = []
  for (const entry of entries) {
    const rank = rankOf(entry, wanted)
    if (rank !== undefined && (await mayRead(entry.name))) found.push({ entry, rank })
  }
  found.sort((a, b) => a.rank - b.rank || (a.entry.name < b.entry.name ? -1 : 1))
  return found.map(({ entry }) => entry)
}

export function hitOf({ name, max_version, description }: CatalogueEntry): SearchHit {
  return { name, max_version, description }
}

/** 0: the name itself, 1: a name that starts so, 2: within the name, 3: elsewhere; `undefined`: no match. */
function rankOf(entry: CatalogueEntry, terms: readonly string[]): number | undefined {
  const name = canonicalName(entry.name)
  const text = canonicalName([entry.description, ...entry.keywords].join(' '))
  let rank = 0
  for (const term of terms) {
    if (name === term) continue
    else if (name.startsWith(term)) rank = Math.max(rank, 1)
    else if (name.includes(term)) rank = Math.max(rank, 2)
    else if (text.includes(term)) rank = Math.max(rank, 3)
    else return undefined
  }
  return rank
}
