import type { IndexDep, IndexEntry } from './index-entry.ts'
import { requirementTest } from './requirement-match.ts'
import { compareVersions, isPrerelease, isValidSemver } from './version.ts'

/** cargo passes over entries of a later format. */
const MAX_FORMAT = 2

/** What is asked of a crate. */
export interface Wanted {
  /** Absent: the newest version. */
  readonly req?: string
  readonly features: readonly string[]
  readonly defaultFeatures: boolean
}

/** What a version asks of another crate. */
export interface Dependency {
  /** The crate's real name. */
  readonly name: string
  readonly wanted: Wanted & { readonly req: string }
  /** The index URL it comes from; `null`: the registry that serves the entry. */
  readonly registry: string | null
  /** `null`: wanted on all platforms, or on several. */
  readonly target: string | null
}

/** Dependencies under their names in the manifest, with the features that they get. */
type Activated = ReadonlyMap<string, ReadonlySet<string>>

interface FeatureTable {
  readonly lists: ReadonlyMap<string, readonly string[]>
  /** Optional dependencies. */
  readonly optional: ReadonlySet<string>
  /** Dependencies that some list names as `dep:x`: they are no features. */
  readonly explicit: ReadonlySet<string>
}

/**
 * A guess of what cargo's resolver asks next once it has a crate's index file: the dependencies of the version it tries
 * first. Of what cargo refuses, such as a feature that is not there, it makes what it can.
 */
export function nextDependencies(entries: readonly IndexEntry[], wanted: Wanted): readonly Dependency[] {
  const entry = pickVersion(entries, wanted.req)
  return entry === undefined ? [] : dependenciesOf(entry, wanted)
}

/** A file's entries in the order in which cargo tries them, and what was picked of them by requirement. */
interface Ranked {
  readonly entries: readonly IndexEntry[]
  readonly picked: Map<string, IndexEntry | undefined>
}

/** Many ask, and a file's entries never change. */
const ranked = new WeakMap<readonly IndexEntry[], Ranked>()
/** Requirements of one file whose answers are remembered. */
const MAX_PICKED = 200

/**
 * The version that cargo tries first: the highest that matches and is not yanked, build metadata included; without a
 * requirement the highest release, else the highest pre-release.
 */
export function pickVersion(entries: readonly IndexEntry[], req?: string): IndexEntry | undefined {
  const { entries: candidates, picked } = rankedOf(entries)
  if (req === undefined) return candidates.find(({ vers }) => !isPrerelease(vers)) ?? candidates[0]
  if (picked.has(req)) return picked.get(req)
  const matches = requirementTest(req)
  const entry = matches && candidates.find(({ vers }) => matches(vers))
  if (picked.size < MAX_PICKED) picked.set(req, entry)
  return entry
}

/**
 * The versions that cargo takes when people name a crate in the usual way, such as `1` or `0.3`: of each line of
 * compatible releases the highest, those of the highest line first, `max` at most.
 */
export function newestOfLines(entries: readonly IndexEntry[], max: number): readonly IndexEntry[] {
  const newest: IndexEntry[] = []
  let last: string | undefined
  for (const entry of rankedOf(entries).entries) {
    if (newest.length === max) break
    const line = compatibleLine(entry.vers)
    if (isPrerelease(entry.vers) || line === last) continue
    last = line
    newest.push(entry)
  }
  return newest
}

/** What versions that cargo takes to be compatible have in common: the numbers up to the first that is not 0. */
export function compatibleLine(vers: string): string {
  return /^(?:0\.){0,2}\d+/.exec(vers)?.[0] ?? vers
}

function rankedOf(entries: readonly IndexEntry[]): Ranked {
  const known = ranked.get(entries)
  if (known !== undefined) return known
  const candidates = entries.filter(
    ({ vers, yanked, v = 1 }) => !yanked && v <= MAX_FORMAT && isValidSemver(vers),
  )
  // The newest are mostly last: what is nearly in order is sorted in no time.
  const sorted = candidates
    .reverse()
    .sort((a, b) => compareVersions(b.vers, a.vers) || compareBuild(b.vers, a.vers))
  const made: Ranked = { entries: sorted, picked: new Map() }
  ranked.set(entries, made)
  return made
}

/**
 * The normal and build dependencies of one version that the features activate, in its order, for all platforms. What one
 * requirement asks of one crate in several tables is merged.
 */
export function dependenciesOf(entry: IndexEntry, wanted: Wanted): readonly Dependency[] {
  const activated = activate(entry, wanted)
  const merged = new Map<string, Dependency>()
  for (const dep of entry.deps) {
    if (dep.kind === 'dev' || (dep.optional && !activated.has(dep.name))) continue
    const next = dependency(dep, activated.get(dep.name) ?? new Set())
    const key = [next.name, next.registry, next.wanted.req].join('\n')
    const known = merged.get(key)
    merged.set(key, known === undefined ? next : merge(known, next))
  }
  return [...merged.values()]
}

/** An optional dependency, and how many of the crate's features bring it. */
export interface OptionalDependency {
  /** The crate's real name. */
  readonly name: string
  readonly registry: string | null
  readonly features: number
}

/** The optional normal and build dependencies of one version; features that begin with `_` are nobody's to enable. */
export function optionalDependencies(entry: IndexEntry): readonly OptionalDependency[] {
  const optional = entry.deps.filter((dep) => dep.optional && dep.kind !== 'dev')
  if (optional.length === 0) return []
  const features = new Map<string, number>()
  for (const feature of readFeatures(entry).lists.keys()) {
    if (isInternal(feature)) continue
    for (const dep of activate(entry, { features: [feature], defaultFeatures: false }).keys())
      features.set(dep, (features.get(dep) ?? 0) + 1)
  }
  return optional.map((dep) => ({
    name: dep.package ?? dep.name,
    registry: dep.registry ?? null,
    features: features.get(dep.name) ?? 0,
  }))
}

/** The feature that brings an optional dependency and the least beside it; `undefined` when only internal ones do. */
export function enablingFeature(entry: IndexEntry, dep: IndexDep): string | undefined {
  const lists = Object.entries({ ...entry.features, ...entry.features2 })
    .filter(([, list]) => list.includes(`dep:${dep.name}`) || list.includes(dep.name))
    .sort(([, a], [, b]) => a.length - b.length)
  if (lists.length === 0) return dep.name
  return lists.find(([feature]) => !isInternal(feature))?.[0]
}

/** Authors mark features so that nobody is to enable. */
function isInternal(feature: string): boolean {
  return feature.startsWith('_')
}

/** Rust orders build metadata like pre-releases, but lets numbers have leading zeros and puts none first. */
function compareBuild(a: string, b: string): number {
  const [buildA, buildB] = [buildOf(a), buildOf(b)]
  if (buildA === '' || buildB === '') return buildA.length - buildB.length
  return compareVersions(`0.0.0-${buildA}`, `0.0.0-${buildB}`)
}

function buildOf(version: string): string {
  const plus = version.indexOf('+')
  return plus < 0 ? '' : version.slice(plus + 1).replace(/(^|\.)0+(?=\d+(?:\.|$))/g, '$1')
}

/**
 * Follows features as cargo's resolver does, where `x?/feat` adds `x` like `x/feat`: only what is compiled tells them
 * apart (https://github.com/rust-lang/cargo/issues/10801).
 */
function activate(entry: IndexEntry, { features, defaultFeatures }: Wanted): Activated {
  const { lists, optional, explicit } = readFeatures(entry)
  const activated = new Map<string, Set<string>>()
  // a set goes on over what is added while it is walked, and each value is followed once
  const values = new Set(defaultFeatures ? ['default', ...features] : features)
  for (const value of values) {
    const slash = value.indexOf('/')
    if (slash >= 0) {
      const isWeak = value[slash - 1] === '?'
      const dep = value.slice(0, isWeak ? slash - 1 : slash)
      featuresOf(dep).add(value.slice(slash + 1))
      if (!isWeak && optional.has(dep)) values.add(dep)
    } else if (value.startsWith('dep:')) featuresOf(value.slice('dep:'.length))
    else if (lists.has(value)) for (const next of lists.get(value) ?? []) values.add(next)
    else if (optional.has(value) && !explicit.has(value)) featuresOf(value)
  }
  return activated

  function featuresOf(dep: string): Set<string> {
    const known = activated.get(dep) ?? new Set()
    activated.set(dep, known)
    return known
  }
}

/** Many features of one version are followed, by many; entries never change. */
const tables = new WeakMap<IndexEntry, FeatureTable>()

function readFeatures(entry: IndexEntry): FeatureTable {
  const known = tables.get(entry)
  if (known !== undefined) return known
  const lists = new Map(Object.entries(entry.features))
  for (const [name, list] of Object.entries(entry.features2 ?? {})) {
    lists.set(name, [...(lists.get(name) ?? []), ...list])
  }
  const explicit = new Set<string>()
  for (const list of lists.values()) {
    for (const value of list) if (value.startsWith('dep:')) explicit.add(value.slice('dep:'.length))
  }
  const optional = new Set(entry.deps.filter((dep) => dep.optional).map((dep) => dep.name))
  const table = { lists, optional, explicit }
  tables.set(entry, table)
  return table
}

function dependency(dep: IndexDep, activated: ReadonlySet<string>): Dependency {
  const features = new Set([...dep.features, ...activated])
  features.delete('')
  return {
    name: dep.package ?? dep.name,
    wanted: { req: dep.req, features: [...features], defaultFeatures: dep.default_features },
    registry: dep.registry ?? null,
    target: dep.target,
  }
}

function merge(a: Dependency, b: Dependency): Dependency {
  return {
    ...a,
    wanted: {
      req: a.wanted.req,
      features: [...new Set([...a.wanted.features, ...b.wanted.features])],
      defaultFeatures: a.wanted.defaultFeatures || b.wanted.defaultFeatures,
    },
    target: a.target === b.target ? a.target : null,
  }
}
