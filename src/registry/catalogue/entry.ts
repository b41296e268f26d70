import type { VersionDetails } from '../../protocol/change.ts'
import type { IndexEntry } from '../../protocol/index-entry.ts'
import { canonicalName } from '../../protocol/name.ts'
import type { CrateRecord } from '../../protocol/record.ts'
import { isCratesIo } from '../../protocol/registry-url.ts'
import { spanOf, type TopVersions, topOf } from '../../protocol/top-versions.ts'
import { entriesOf, isGone, type UpstreamCopy } from '../../protocol/upstream-copy.ts'

/**
 * What lists know of a crate. The optional fields below `gone` are absent in entries that older versions of this
 * program stored; those are replaced when the crate is next read from storage, and by `verify --repair`.
 */
export interface CatalogueEntry {
  readonly name: string
  /** The number of the change that it reflects; the highest wins. */
  readonly n: number
  /** The version that stands for it: no pre-release and not yanked, if there is such a one. */
  readonly max_version: string
  readonly description: string
  readonly keywords: readonly string[]
  readonly updated: string
  /** Nothing of it is left to find. */
  readonly gone?: boolean
  /** RFC 3339; every entry that this version writes has it. */
  readonly created?: string
  /** How many versions there are; absent: one. */
  readonly versions?: number
  /** The highest version that is not yanked, where that is not `max_version` but a pre-release above it. */
  readonly highest?: string
  /** The version published last, where that is not `max_version`. */
  readonly newest?: string
  /** Every version is yanked. */
  readonly yanked?: boolean
  readonly categories?: readonly string[]
  /** Canonical names of the crates that `max_version` depends on, of whatever kind, from here or from crates.io. */
  readonly deps?: readonly string[]
  readonly homepage?: string
  readonly documentation?: string
  readonly repository?: string
}

/** Whether `entry` is to take the place of `known`: it reflects a later change, or says more about the same one. */
export function isNews(
  entry: CatalogueEntry,
  known: Pick<CatalogueEntry, 'n' | 'created'> | undefined,
): boolean {
  if (known === undefined || known.n !== entry.n) return (known?.n ?? 0) < entry.n
  return known.created === undefined && entry.created !== undefined
}

/** What lists know of a crate in this state. */
export function summarize({ name, n, versions, top, created, updated }: CrateRecord): CatalogueEntry {
  const details: Partial<VersionDetails> = top?.shown.details ?? {}
  const { description = '', keywords = [], categories = [], homepage, documentation, repository } = details
  return {
    ...{ name, n, max_version: top?.shown.entry.vers ?? '', description, keywords, updated },
    ...(top === undefined && { gone: true }),
    created,
    ...numbers(versions.size, top),
    ...(categories.length > 0 && { categories }),
    ...dependencies(top?.shown.entry),
    ...(homepage && { homepage }),
    ...(documentation && { documentation }),
    ...(repository && { repository }),
  }
}

/** What lists know of an uplink's crate; index files tell no description. */
export function summarizeCopy(name: string, copy: UpstreamCopy): CatalogueEntry {
  const entries = isGone(copy) ? [] : entriesOf(name, copy.body)
  const timeOf = ({ vers, pubtime }: IndexEntry) => pubtime ?? copy.firstSeen[vers] ?? copy.fetchedAt
  const [earliest, latest] = spanOf(entries.map(timeOf))
  const top = topOf(entries.map((entry) => ({ entry, at: timeOf(entry) })))
  return {
    name: entries[0]?.name ?? name,
    n: copy.n,
    max_version: top?.shown.entry.vers ?? '',
    description: '',
    keywords: [],
    updated: latest ?? copy.fetchedAt,
    ...(isGone(copy) && { gone: true }),
    created: earliest ?? copy.fetchedAt,
    ...numbers(entries.length, top),
    ...dependencies(top?.shown.entry),
  }
}

/** What is told only where it is not what one would think. */
function numbers(
  versions: number,
  top: TopVersions | undefined,
): Pick<CatalogueEntry, 'versions' | 'highest' | 'newest' | 'yanked'> {
  if (top === undefined) return {}
  const [shown, highest, newest] = [top.shown, top.highest, top.newest].map(({ entry }) => entry.vers)
  return {
    ...(versions > 1 && { versions }),
    ...(highest !== shown && { highest }),
    ...(newest !== shown && { newest }),
    ...(top.yanked && { yanked: true }),
  }
}

/** A name means one crate here, whether a dependency looks for it in this registry or at crates.io. */
function dependencies(entry: IndexEntry | undefined): Pick<CatalogueEntry, 'deps'> {
  const near = (entry?.deps ?? []).filter(({ registry }) => registry == null || isCratesIo(registry))
  const deps = [...new Set(near.map((dep) => canonicalName(dep.package ?? dep.name)))]
  return deps.length > 0 ? { deps } : {}
}
