import type { VersionDetails } from '../../protocol/change.ts'
import type { IndexEntry } from '../../protocol/index-entry.ts'
import { canonicalName } from '../../protocol/name.ts'
import type { CrateRecord } from '../../protocol/record.ts'
import { isCratesIo } from '../../protocol/registry-url.ts'
import { entriesOf, isGone, type UpstreamCopy } from '../../protocol/upstream-copy.ts'
import { maxVersion } from '../../protocol/version.ts'

/**
 * What lists know of a crate. The optional fields below `gone` are absent in entries that older versions of this
 * program stored; those are replaced when the crate is next read from storage, and by `verify --repair`.
 */
export interface CatalogueEntry {
  readonly name: string
  /** The number of the change that it reflects; the highest wins. */
  readonly n: number
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
export function summarize(record: CrateRecord): CatalogueEntry {
  const all = [...record.versions.values()]
  const offered = all.filter(({ entry }) => !entry.yanked)
  const candidates = offered.length > 0 ? offered : all
  const max = maxVersion(candidates.map(({ entry }) => entry.vers)) ?? ''
  const shown = candidates.find(({ entry }) => entry.vers === max)
  const details: Partial<VersionDetails> = shown?.details ?? {}
  const { description = '', keywords = [], categories = [], homepage, documentation, repository } = details
  return {
    name: record.name,
    n: record.n,
    max_version: max,
    description,
    keywords,
    updated: record.updated,
    ...(all.length === 0 && { gone: true }),
    created: record.created,
    ...counted(all.length, latest(candidates, ({ at }) => at)?.entry.vers, max, offered.length === 0),
    ...(categories.length > 0 && { categories }),
    ...dependencies(shown?.entry),
    ...(homepage && { homepage }),
    ...(documentation && { documentation }),
    ...(repository && { repository }),
  }
}

/** What lists know of an uplink's crate; index files tell no description. */
export function summarizeCopy(name: string, copy: UpstreamCopy): CatalogueEntry {
  const all = isGone(copy) ? [] : entriesOf(name, copy.body)
  const offered = all.filter(({ yanked }) => !yanked)
  const candidates = offered.length > 0 ? offered : all
  const max = maxVersion(candidates.map(({ vers }) => vers)) ?? ''
  const timeOf = ({ vers, pubtime }: IndexEntry) => pubtime ?? copy.firstSeen[vers] ?? copy.fetchedAt
  const times = all.map(timeOf).toSorted((a, b) => Date.parse(a) - Date.parse(b))
  return {
    name: all[0]?.name ?? name,
    n: copy.n,
    max_version: max,
    description: '',
    keywords: [],
    updated: times.at(-1) ?? copy.fetchedAt,
    ...(isGone(copy) && { gone: true }),
    created: times[0] ?? copy.fetchedAt,
    ...counted(all.length, latest(candidates, timeOf)?.vers, max, offered.length === 0),
    ...dependencies(candidates.find(({ vers }) => vers === max)),
  }
}

function counted(
  versions: number,
  newest: string | undefined,
  max: string,
  isYanked: boolean,
): Pick<CatalogueEntry, 'versions' | 'newest' | 'yanked'> {
  return {
    ...(versions > 1 && { versions }),
    ...(newest !== undefined && newest !== max && { newest }),
    ...(versions > 0 && isYanked && { yanked: true }),
  }
}

/** The one of the latest time, RFC 3339; of several the last. */
function latest<T>(versions: readonly T[], timeOf: (version: T) => string): T | undefined {
  let [last, time]: [T | undefined, string] = [undefined, '']
  for (const one of versions) {
    const next = timeOf(one)
    if (last !== undefined && isBefore(next, time)) continue
    last = one
    time = next
  }
  return last
}

/** Nearly all times are spelled alike, and then their text is in their order. */
function isBefore(a: string, b: string): boolean {
  return isPubtime(a) && isPubtime(b) ? a < b : Date.parse(a) < Date.parse(b)
}

function isPubtime(time: string): boolean {
  return time.length === PUBTIME_LENGTH && time.endsWith('Z')
}

/** Of `YYYY-MM-DDTHH:MM:SSZ`. */
const PUBTIME_LENGTH = 20

/** A name means one crate here, whether a dependency looks for it in this registry or at crates.io. */
function dependencies(entry: IndexEntry | undefined): Pick<CatalogueEntry, 'deps'> {
  const near = (entry?.deps ?? []).filter(({ registry }) => registry == null || isCratesIo(registry))
  const deps = [...new Set(near.map((dep) => canonicalName(dep.package ?? dep.name)))]
  return deps.length > 0 ? { deps } : {}
}
