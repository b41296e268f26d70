import type { Manifest } from './manifest.ts'
import type { DependencyKind, ManifestDep } from './manifest-dependencies.ts'
import { normalizeRequirement } from './requirement.ts'

/** A crate's features as the index and the manifest spell them, `dep:` and `?/` included. */
export type FeatureMap = Readonly<Record<string, readonly string[]>>

/** A dependency in an index entry. A parsed one also carries the fields this version does not know. */
export interface IndexDep {
  /** The alias when the dependency is renamed, else the crate's name. */
  readonly name: string
  readonly req: string
  readonly features: readonly string[]
  readonly optional: boolean
  readonly default_features: boolean
  /** A triple or a `cfg(…)` expression; `null` for all platforms. */
  readonly target: string | null
  readonly kind: DependencyKind
  /** The index URL it comes from; absent or `null`: the registry that serves the entry. */
  readonly registry?: string | null
  /** The crate's real name when the dependency is renamed. */
  readonly package?: string | null
  readonly public?: boolean | null
  readonly artifact?: readonly string[] | null
  readonly bindep_target?: string | null
  readonly lib?: boolean
}

/** One version of a crate: a line of its index file. A parsed one also carries the fields this version does not know. */
export interface IndexEntry {
  readonly name: string
  readonly vers: string
  readonly deps: readonly IndexDep[]
  /** SHA-256 of the `.crate` file, lower-case hex. */
  readonly cksum: string
  readonly features: FeatureMap
  /** Features old cargos must not see; cargo merges them into `features`. */
  readonly features2?: FeatureMap | undefined
  readonly yanked: boolean
  readonly links?: string | null
  readonly rust_version?: string | null
  /** When it was published, `YYYY-MM-DDTHH:MM:SSZ`; see {@link isValidPubtime}. */
  readonly pubtime?: string
  /** The version of the entry's format; absent means 1. */
  readonly v?: number
}

/** A manifest that knows which registry each dependency comes from; `null`: the one that publishes. */
export interface ResolvedManifest extends Omit<Manifest, 'deps' | 'targets'> {
  readonly deps: readonly ResolvedDep[]
}

/** A dependency of a {@link ResolvedManifest}. */
// A manifest without `registry-index` means crates.io, an entry without `registry` means the registry that serves it:
// the key is required so that the one is never taken for the other.
export interface ResolvedDep extends Omit<ManifestDep, 'registry'> {
  readonly registry: string | null
}

/** What an index entry says beyond the manifest. */
export interface Published {
  readonly cksum: string
  readonly pubtime: string
}

// The orders in which crates.io writes; unknown fields follow.
const ENTRY_ORDER = [
  ...['name', 'vers', 'deps', 'cksum', 'features', 'features2', 'yanked'],
  ...['links', 'rust_version', 'pubtime', 'v'],
]
const DEP_ORDER = [
  ...['name', 'req', 'features', 'optional', 'default_features', 'target', 'kind', 'registry', 'package'],
  ...['artifact', 'bindep_target', 'lib', 'public'],
]

const KIND_ORDER = { normal: 0, build: 1, dev: 2 } as const

/** One entry as crates.io writes it: compact JSON, keys in its order, unknown fields last, no newline. */
export function renderLine(entry: IndexEntry): string {
  return JSON.stringify({
    ...inOrder(entry, ENTRY_ORDER),
    deps: entry.deps.map((dep) => inOrder(dep, DEP_ORDER)),
  })
}

/** An index file: one line per entry, in the order given, each ended by a newline. */
export function renderLines(entries: Iterable<IndexEntry>): string {
  let text = ''
  for (const entry of entries) text += `${renderLine(entry)}\n`
  return text
}

const PUBTIME = /^\d{4}-\d\d-(\d\d)T\d\d:\d\d:\d\dZ$/

/** Whether `time` is a time as cargo reads it: `YYYY-MM-DDTHH:MM:SSZ`, no fraction; anything else hides the version. */
export function isValidPubtime(time: string): boolean {
  const day = PUBTIME.exec(time)?.[1]
  // `Date` takes a day that its month does not have for one of the next; hours and minutes it refuses.
  return day !== undefined && new Date(time).getUTCDate() === Number(day)
}

/** A time as the index spells it, cut to the second. */
export function pubtime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}

/**
 * The index entry of a version that is published now: not yanked, requirements as cargo sends them, deps and features in
 * a fixed order.
 * @throws {CargoError} `invalid_requirement`
 */
export function entryFromManifest(manifest: ResolvedManifest, published: Published): IndexEntry {
  return {
    name: manifest.name,
    vers: manifest.version,
    deps: manifest.deps.map(indexDep).sort(compareDeps),
    cksum: published.cksum,
    features: sortedFeatures(manifest.features),
    yanked: false,
    ...(manifest.links !== undefined && { links: manifest.links }),
    ...(manifest.rustVersion !== undefined && { rust_version: manifest.rustVersion }),
    pubtime: published.pubtime,
  }
}

function inOrder(fields: object, order: readonly string[]): object {
  const values = new Map<string, unknown>(Object.entries(fields))
  const known = order.filter((key) => values.has(key)).map((key) => [key, values.get(key)])
  const unknown = [...values].filter(([key]) => !order.includes(key))
  return Object.fromEntries([...known, ...unknown])
}

function indexDep({ registry, ...dep }: ResolvedDep): IndexDep {
  return { ...dep, req: normalizeRequirement(dep.req), ...(registry !== null && { registry }) }
}

function compareDeps(a: IndexDep, b: IndexDep): number {
  return compareText(a.name, b.name) || KIND_ORDER[a.kind] - KIND_ORDER[b.kind]
}

function sortedFeatures(features: FeatureMap): FeatureMap {
  // fromEntries defines properties, so a feature named `__proto__` stays a feature
  return Object.fromEntries(Object.entries(features).sort(([a], [b]) => compareText(a, b)))
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
