import type { VersionDetails } from './change.ts'
import type { IndexEntry } from './index-entry.ts'
import { type TopVersions, topOf } from './top-versions.ts'
import { compareVersions, maxVersion } from './version.ts'

/** A crate as people and tools read about it: what its index file says, and whatever else is known. */
export interface CrateView {
  /** As it was published. */
  readonly name: string
  readonly source: 'local' | 'uplink'
  /** The uplink's name, for crates of one. */
  readonly uplink?: string
  /** RFC 3339. */
  readonly created: string
  readonly updated: string
  /** Those who own it here; nobody does for crates of uplinks. */
  readonly owners: readonly string[]
  readonly about: CrateAbout
  /** In the order of the index file; never none. */
  readonly versions: readonly VersionView[]
}

/** A version that is served. */
export interface VersionView {
  /** As in the index file: a version that the rules hold back is yanked. */
  readonly entry: IndexEntry
  /** Who published it; not known for crates of uplinks. */
  readonly by?: string
  /** When it was published, or first seen here; RFC 3339. */
  readonly at: string
  readonly details: KnownDetails
}

/** Of the details as many as are known: none of a crate whose uplink says nothing but the index. */
export type KnownDetails = Partial<VersionDetails>

/** What a crate says of itself as a whole. */
export type CrateAbout = Pick<
  KnownDetails,
  'description' | 'documentation' | 'homepage' | 'repository' | 'keywords' | 'categories'
>

const sorted = new WeakMap<CrateView, readonly VersionView[]>()

/** The versions of a crate, highest first; sorted once. */
export function highestFirst(view: CrateView): readonly VersionView[] {
  let versions = sorted.get(view)
  if (versions === undefined) {
    versions = view.versions.toSorted((a, b) => compareVersions(b.entry.vers, a.entry.vers))
    sorted.set(view, versions)
  }
  return versions
}

/** The versions of a crate, latest first; of those of one second the later line. */
export function latestFirst({ versions }: CrateView): readonly VersionView[] {
  return versions.toReversed().sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
}

/** The version of exactly this number, build metadata included. */
export function versionOf({ versions }: CrateView, number: string): VersionView | undefined {
  return versions.find(({ entry }) => entry.vers === number)
}

/** The version that stands for the crate. */
export function defaultVersion<V extends Pick<VersionView, 'entry'>>(versions: readonly V[]): V {
  const offered = versions.filter(({ entry }) => !entry.yanked)
  const from = offered.length > 0 ? offered : versions
  const number = maxVersion(from.map(({ entry }) => entry.vers))
  const found = from.find(({ entry }) => entry.vers === number)
  if (found === undefined) throw new RangeError('a crate without versions')
  return found
}

const tops = new WeakMap<CrateView, TopVersions<VersionView>>()

/** The versions that stand for a crate; found once. */
export function topVersions(view: CrateView): TopVersions<VersionView> {
  const top = tops.get(view) ?? topOf(view.versions)
  if (top === undefined) throw new RangeError('a crate without versions')
  tops.set(view, top)
  return top
}
