import type { SearchResponse } from '../protocol/api.ts'
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

/** The crates that match and that the caller may read, best first; the total counts no others. */
export async function searchCrates(
  { catalogue, access }: { readonly catalogue: Catalogue; readonly access: Access },
  caller: Caller,
  { terms, perPage, page }: SearchQuery,
): Promise<SearchResponse> {
  const wanted = terms.map(canonicalName)
  const found: { readonly entry: CatalogueEntry; readonly rank: number }[] = []
  for (const entry of await catalogue.entries()) {
    const rank = rankOf(entry, wanted)
    if (rank !== undefined && (await access.may(caller, 'read', entry.name))) found.push({ entry, rank })
  }
  found.sort((a, b) => a.rank - b.rank || (a.entry.name < b.entry.name ? -1 : 1))
  const crates = found.slice((page - 1) * perPage, page * perPage).map(({ entry }) => ({
    name: entry.name,
    max_version: entry.max_version,
    description: entry.description,
  }))
  return { crates, meta: { total: found.length } }
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
