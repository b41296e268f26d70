import type { SearchHit } from './api.ts'
import { renderCategory, renderCrate, renderKeyword, stableVersion } from './crate-api.ts'
import type { CrateView, VersionView } from './crate-view.ts'
import type { Page } from './crates-query.ts'
import type { Downloads } from './downloads-api.ts'
import { canonicalName, namesCollide } from './name.ts'
import { renderDependencies, renderVersion } from './version-api.ts'

/** Lists of other registries may not say when; clients insist on a time. */
const UNKNOWN_TIME = '1970-01-01T00:00:00Z'

/** A crate in a list, and how often its files were fetched. */
export interface ListedCrate extends SearchHit {
  readonly downloads: number
  readonly recentDownloads: number
  /** Its name is what was searched for. */
  readonly exactMatch?: boolean
}

/** How many crates have a keyword, or are in a category. */
export interface Tag {
  readonly value: string
  readonly crates: number
  /** Seconds since 1970. */
  readonly created: number
}

/** Downloads by canonical name. */
export type CountsByName = ReadonlyMap<string, { readonly total: number; readonly recent: number }>

/** A crate of a list in crates.io's shape: what only the crate itself tells is `null`. */
export function renderListed(crate: ListedCrate, base: string) {
  const { name, max_version, description, newest_version = max_version, yanked = false } = crate
  const shown = crate.default_version ?? max_version
  return renderCrate(
    {
      ...{ name, description: description ?? undefined },
      ...{ homepage: crate.homepage, documentation: crate.documentation, repository: crate.repository },
      created: crate.created_at ?? UNKNOWN_TIME,
      updated: crate.updated_at ?? crate.created_at ?? UNKNOWN_TIME,
      ...{ downloads: crate.downloads, recentDownloads: crate.recentDownloads },
      ...{ defaultVersion: shown, maxVersion: max_version, newestVersion: newest_version },
      maxStableVersion: stableVersion(shown, yanked),
      numVersions: crate.num_versions ?? 1,
      yanked,
      exactMatch: crate.exactMatch ?? false,
    },
    base,
  )
}

/** The answer to `GET /api/v1/crates`; `query` is the one that was asked with. */
export function renderCrates(
  { crates, meta }: { readonly crates: readonly ListedCrate[]; readonly meta: { readonly total: number } },
  { perPage, page }: Page,
  query: URLSearchParams,
  base: string,
) {
  const at = (number: number) => {
    const other = new URLSearchParams(query)
    other.set('page', String(number))
    return `?${other}`
  }
  return {
    crates: crates.map((crate) => renderListed(crate, base)),
    meta: {
      total: meta.total,
      next_page: perPage > 0 && page * perPage < meta.total ? at(page + 1) : null,
      prev_page: page > 1 ? at(page - 1) : null,
    },
  }
}

export function renderKeywordTag({ value, crates, created }: Tag) {
  return renderKeyword(value, timeOf(created), crates)
}

export function renderCategoryTag({ value, crates, created }: Tag) {
  return renderCategory(value, timeOf(created), crates)
}

/** The answer to `GET /api/v1/summary`. */
export function renderSummary(
  summary: {
    readonly crates: number
    readonly downloads: number
    readonly newest: readonly SearchHit[]
    readonly mostDownloaded: readonly SearchHit[]
    readonly mostRecentlyDownloaded: readonly SearchHit[]
    readonly justUpdated: readonly SearchHit[]
    readonly keywords: readonly Tag[]
    readonly categories: readonly Tag[]
    readonly counts: CountsByName
  },
  base: string,
) {
  const list = (hits: readonly SearchHit[]) =>
    hits.map((hit) => renderListed({ ...hit, ...downloadsOf(summary.counts, hit.name) }, base))
  return {
    num_crates: summary.crates,
    num_downloads: summary.downloads,
    new_crates: list(summary.newest),
    most_downloaded: list(summary.mostDownloaded),
    most_recently_downloaded: list(summary.mostRecentlyDownloaded),
    just_updated: list(summary.justUpdated),
    popular_keywords: summary.keywords.map(renderKeywordTag),
    popular_categories: summary.categories.map(renderCategoryTag),
  }
}

/** A crate that depends on another one, with the version that stands for it. */
export interface DependentCrate {
  readonly view: CrateView
  readonly version: VersionView
  readonly downloads: Downloads
}

/** The answer to `GET /api/v1/crates/{crate}/reverse_dependencies` of `name`. */
export function renderReverseDependencies(
  name: string,
  { crates, total }: { readonly crates: readonly DependentCrate[]; readonly total: number },
  base: string,
) {
  return {
    dependencies: crates.flatMap(({ view, version, downloads }) => {
      const { dependencies } = renderDependencies(view, version)
      const one = dependencies.find(({ crate_id }) => namesCollide(crate_id, name))
      return one === undefined ? [] : [{ ...one, downloads: downloads.total }]
    }),
    versions: crates.map(({ view, version, downloads }) => renderVersion(view, version, { base, downloads })),
    meta: { total },
  }
}

function downloadsOf(counts: CountsByName, name: string) {
  const { total = 0, recent = 0 } = counts.get(canonicalName(name)) ?? {}
  return { downloads: total, recentDownloads: recent }
}

function timeOf(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`
}
