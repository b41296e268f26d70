import { CargoError } from '../errors.ts'
import { type CrateAbout, type CrateView, defaultVersion, highestFirst, topVersions } from './crate-view.ts'
import type { Downloads } from './downloads-api.ts'
import { quote } from './text.ts'
import { isPrerelease } from './version.ts'
import { renderVersion, versionId } from './version-api.ts'

/** What an answer of the read API needs beside the crate. */
export interface ApiContext {
  /** The path of the registry's URL, without a final slash: what answers call `/api/v1/…` begins with it. */
  readonly base: string
  readonly downloads: Downloads
}

/** What an API answer tells of a crate, whether or not its versions are at hand. */
export interface CrateFields
  extends Pick<CrateAbout, 'description' | 'documentation' | 'homepage' | 'repository'> {
  readonly name: string
  readonly created: string
  readonly updated: string
  readonly downloads: number
  /** Those of the last 90 days, when they are asked for. */
  readonly recentDownloads?: number
  readonly defaultVersion: string
  readonly maxVersion: string
  readonly maxStableVersion?: string | undefined
  readonly newestVersion: string
  readonly numVersions: number
  /** All versions are. */
  readonly yanked: boolean
  /** The name is the one that was searched. */
  readonly exactMatch?: boolean
  readonly versionIds?: readonly number[]
  readonly keywords?: readonly string[]
  readonly categories?: readonly string[]
}

/** The parts of an answer about a crate that can be left out. */
export interface CrateParts {
  readonly versions: boolean
  readonly keywords: boolean
  readonly categories: boolean
  readonly downloads: boolean
  readonly default_version: boolean
}

const ALL_PARTS: CrateParts = {
  versions: true,
  keywords: true,
  categories: true,
  downloads: true,
  default_version: true,
}

/**
 * Reads `include=versions,keywords,…`; absent, or with `full` in it: everything.
 * @throws {CargoError} `invalid_request` naming the part that there is none of
 */
export function parseInclude(include: string | undefined): CrateParts {
  if (include === undefined) return ALL_PARTS
  const words = new Set(include.split(',').filter((word) => word !== ''))
  // There have been no badges for years, but clients ask for them.
  const known = new Set(['full', 'badges', ...Object.keys(ALL_PARTS)])
  for (const word of words) {
    if (!known.has(word))
      throw new CargoError(
        'invalid_request',
        `invalid include ${quote(word)}: must be of ${[...known].join(', ')}`,
      )
  }
  if (words.has('full')) return ALL_PARTS
  return {
    versions: words.has('versions'),
    keywords: words.has('keywords'),
    categories: words.has('categories'),
    downloads: words.has('downloads'),
    default_version: words.has('default_version'),
  }
}

/** The answer to `GET /api/v1/crates/{crate}`, as crates.io's. */
export function renderCrateAnswer(view: CrateView, parts: CrateParts, context: ApiContext) {
  const { keywords = [], categories = [] } = view.about
  const shown = parts.default_version ? [defaultVersion(view.versions)] : undefined
  const versions = parts.versions ? highestFirst(view) : shown
  return {
    crate: renderCrate(
      {
        ...crateFields(view, context.downloads),
        recentDownloads: parts.downloads ? context.downloads.recent : undefined,
        versionIds: parts.versions ? versions?.map(({ entry }) => versionId(view, entry.vers)) : undefined,
        keywords: parts.keywords ? keywords : undefined,
        categories: parts.categories ? categories : undefined,
      },
      context.base,
    ),
    versions: versions?.map((version) => renderVersion(view, version, context)) ?? null,
    keywords: parts.keywords ? keywords.map((keyword) => renderKeyword(keyword, view.created)) : null,
    categories: parts.categories ? categories.map((slug) => renderCategory(slug, view.created)) : null,
  }
}

/** What the API tells of a crate in lists of them. */
export function crateFields(view: CrateView, downloads: Downloads): CrateFields {
  const { name, created, updated, versions } = view
  const { description, documentation, homepage, repository } = view.about
  const top = topVersions(view)
  const shown = top.shown.entry.vers
  return {
    ...{ name, created, updated, description, documentation, homepage, repository },
    downloads: downloads.total,
    defaultVersion: shown,
    maxVersion: top.highest.entry.vers,
    maxStableVersion: stableVersion(shown, top.yanked),
    newestVersion: top.newest.entry.vers,
    numVersions: versions.length,
    yanked: top.yanked,
  }
}

/** The version that stands for a crate, unless there is only a pre-release or a yanked one to do so. */
export function stableVersion(shown: string, isYanked: boolean): string | undefined {
  return isYanked || isPrerelease(shown) ? undefined : shown
}

/** A crate in crates.io's shape. */
export function renderCrate(crate: CrateFields, base: string) {
  const { name } = crate
  const path = `${base}/api/v1/crates/${name}`
  return {
    id: name,
    name,
    updated_at: crate.updated,
    versions: crate.versionIds ?? null,
    keywords: crate.keywords ?? null,
    categories: crate.categories ?? null,
    badges: [],
    created_at: crate.created,
    downloads: crate.downloads,
    recent_downloads: crate.recentDownloads ?? null,
    default_version: crate.defaultVersion,
    num_versions: crate.numVersions,
    yanked: crate.yanked,
    max_version: crate.maxVersion,
    newest_version: crate.newestVersion,
    max_stable_version: crate.maxStableVersion ?? null,
    description: crate.description ?? null,
    homepage: crate.homepage ?? null,
    documentation: crate.documentation ?? null,
    repository: crate.repository ?? null,
    links: {
      version_downloads: `${path}/downloads`,
      // Who has them need not ask for them.
      versions: crate.versionIds === undefined ? `${path}/versions` : null,
      owners: `${path}/owners`,
      owner_team: `${path}/owner_team`,
      owner_user: `${path}/owner_user`,
      reverse_dependencies: `${path}/reverse_dependencies`,
    },
    exact_match: crate.exactMatch ?? false,
    trustpub_only: false,
  }
}

/** A keyword in crates.io's shape. */
export function renderKeyword(keyword: string, created: string, crates = 1) {
  return { id: keyword, keyword, created_at: created, crates_cnt: crates }
}

/** A category in crates.io's shape, as far as its slug tells. */
export function renderCategory(slug: string, created: string, crates = 1) {
  const category = slug.slice(slug.lastIndexOf(':') + 1)
  return { id: slug, category, slug, description: '', created_at: created, crates_cnt: crates }
}
