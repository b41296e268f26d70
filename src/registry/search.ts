import type { SearchHit } from '../protocol/api.ts'
import type { CratesQuery } from '../protocol/crates-query.ts'
import { canonicalName } from '../protocol/name.ts'
import type { Caller } from './access.ts'
import type { CatalogueEntry } from './catalogue/entry.ts'
import { giveUp } from './catalogue/give-up.ts'
import type { CrateCriteria } from './catalogue/query.ts'
import type { CrateTable } from './catalogue/table.ts'
import type { DownloadTotals } from './download-counts.ts'
import { inOrder, visibleRows } from './lists/find-crates.ts'
import type { Downloads } from './lists/order.ts'
import type { CrateSight, KeptCrates, VisibleCrates } from './lists/visible-crates.ts'

/** A crate that was found. */
export interface FoundCrate extends SearchHit {
  readonly downloads: number
  readonly recentDownloads: number
  /** Its name is what was searched for. */
  readonly exactMatch: boolean
}

/** One page of those that were found. */
export interface FoundCrates {
  readonly crates: readonly FoundCrate[]
  /** `total` counts all of them. */
  readonly meta: { readonly total: number }
}

/** A part of what uplinks have. */
export interface UpstreamQuery extends Omit<CratesQuery, 'page' | 'perPage'> {
  /** Hits to leave out, and to return at most. */
  readonly offset: number
  readonly count: number
}

/** Who searches what uplinks have, and what is known by then. */
export interface UpstreamScope {
  readonly caller: Caller
  readonly sight: CrateSight
  readonly mayRead: (crate: string) => Promise<boolean>
  /** What is local is nothing of an uplink's. */
  readonly local: CrateTable
  readonly downloads: Downloads
  readonly pause: () => Promise<void>
}

/** What uplinks find; nothing that is local. */
export interface UpstreamSearch {
  find(query: UpstreamQuery, scope: UpstreamScope): Promise<UpstreamHits>
  /** The crates that are kept of uplinks, whichever they are of. */
  kept(): Promise<KeptCrates>
}

export interface UpstreamHits {
  readonly hits: readonly SearchHit[]
  readonly total: number
}

export interface SearchDeps extends Omit<UpstreamScope, 'caller' | 'mayRead' | 'downloads'> {
  readonly mayRead: (caller: Caller, crate: string) => Promise<boolean>
  readonly downloads: () => Promise<DownloadTotals>
  readonly upstream?: UpstreamSearch
}

/**
 * The crates that match and that the caller may read: local ones first, then those of uplinks, each in the order that
 * is asked for. The total counts no others.
 */
export async function searchCrates(
  { local, sight, mayRead, pause, upstream, ...deps }: SearchDeps,
  caller: Caller,
  query: CratesQuery,
): Promise<FoundCrates> {
  const { perPage, page, ...wanted } = query
  const downloads = (await deps.downloads()).crates
  const [from, to] = [(page - 1) * perPage, page * perPage]
  const own = await pageOfCrates(sight.local(caller, local), wanted, downloads, [from, to], pause)
  const more = await upstream?.find(
    { ...wanted, offset: Math.max(0, from - own.total), count: perPage - own.hits.length },
    { caller, sight, local, downloads, pause, mayRead: (crate) => mayRead(caller, crate) },
  )
  const [term = '', ...others] = wanted.terms
  const crates = [...own.hits, ...(more?.hits ?? [])].map((hit): FoundCrate => {
    const { total = 0, recent = 0 } = downloads.get(canonicalName(hit.name)) ?? {}
    const exactMatch = others.length === 0 && canonicalName(hit.name) === canonicalName(term)
    return { ...hit, downloads: total, recentDownloads: recent, exactMatch }
  })
  return { crates, meta: { total: own.total + (more?.total ?? 0) } }
}

/** A part of the crates of one catalogue. */
export async function pageOfCrates(
  crates: VisibleCrates,
  query: Omit<CratesQuery, 'page' | 'perPage'>,
  downloads: Downloads,
  window: readonly [from: number, to: number],
  pause: () => Promise<void>,
): Promise<UpstreamHits> {
  const found = await visibleRows(crates, criteriaOf(query), pause)
  const sort = query.sort ?? 'relevance'
  const rows = await inOrder(crates.table, found, sort, downloads, window, pause)
  const { total, parts } = found
  if (found.firsts === undefined) giveUp(parts.map(({ levels }) => levels))
  return { hits: (await crates.table.entriesOf(rows)).map(hitOf), total }
}

/** A crate as lists show it. */
export function hitOf(entry: CatalogueEntry): SearchHit {
  const { name, max_version: shown, description, versions, yanked, created, updated } = entry
  const { homepage, documentation, repository } = entry
  return {
    ...{ name, max_version: entry.highest ?? shown, description: description === '' ? null : description },
    default_version: shown,
    newest_version: entry.newest ?? shown,
    num_versions: versions ?? 1,
    ...(yanked && { yanked }),
    created_at: created ?? updated,
    updated_at: updated,
    ...(homepage !== undefined && { homepage }),
    ...(documentation !== undefined && { documentation }),
    ...(repository !== undefined && { repository }),
  }
}

function criteriaOf({ ids, ...criteria }: Omit<CratesQuery, 'page' | 'perPage'>): CrateCriteria {
  return { ...criteria, ...(ids !== undefined && { names: ids }) }
}
