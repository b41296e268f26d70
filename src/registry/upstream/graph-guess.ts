import type { IndexEntry } from '../../protocol/index-entry.ts'
import { dependenciesOf, pickVersion, type Wanted } from '../../protocol/lookahead.ts'
import { CRATES_IO_INDEX, sameRegistry } from '../../protocol/registry-url.ts'

/** A version that is likely to be in a client's graph. */
export interface GuessedVersion {
  /** In lower case, as index files are asked for. */
  readonly name: string
  readonly entry: IndexEntry
  /** The kind of platform that alone wants it; `undefined`: every one does. */
  readonly platform: Platform | undefined
}

/** Platforms whose crates a build on another one does not download. */
export type Platform = 'windows' | 'apple' | 'wasm' | 'android'

/** A crate that a resolver is going to ask for. */
export interface GuessedCrate {
  /** In lower case. */
  readonly name: string
  readonly wanted: Wanted
  readonly platform?: Platform | undefined
}

/** What is guessed of one client's dependency graph. */
export interface GraphGuess {
  /** What comes next, once a crate's index file is here; nothing that was said before. */
  follow(crate: GuessedCrate, entries: readonly IndexEntry[]): readonly GuessedCrate[]
  has(name: string): boolean
  /** The optional dependencies of a crate that nothing has enabled. */
  optional(name: string): readonly string[]
  /** The crates that have an optional dependency of that name, with the feature that enables it. */
  enabling(name: string): readonly GuessedCrate[]
  /** In the order in which they were followed. */
  versions(): Iterable<GuessedVersion>
}

interface Node {
  readonly name: string
  readonly entry: IndexEntry
  readonly features: Set<string>
  defaultFeatures: boolean
  platform: Platform | undefined
}

/** No graph that people build is larger. */
const MAX_NODES = 3_000

const PLATFORMS: readonly (readonly [RegExp, Platform])[] = [
  [/windows/, 'windows'],
  [/wasm|wasi|emscripten/, 'wasm'],
  [/apple|macos|"ios"|tvos|watchos/, 'apple'],
  [/android/, 'android'],
]

export function createGraphGuess(): GraphGuess {
  const nodes = new Map<string, Node>()
  const names = new Set<string>()

  /** The node with what this crate wants of it; `undefined` when that is nothing new. */
  function grow({ name, wanted, platform }: GuessedCrate, entry: IndexEntry): Node | undefined {
    const key = `${name}@${entry.vers}`
    const { features, defaultFeatures } = wanted
    const known = nodes.get(key)
    if (known === undefined) {
      if (nodes.size >= MAX_NODES) return undefined
      const node = { name, entry, features: new Set(features), defaultFeatures, platform }
      nodes.set(key, node)
      names.add(name)
      return node
    }
    const before = known.features.size
    for (const feature of features) known.features.add(feature)
    const isNews =
      known.features.size > before ||
      (defaultFeatures && !known.defaultFeatures) ||
      (platform === undefined && known.platform !== undefined)
    known.defaultFeatures ||= defaultFeatures
    if (platform === undefined) known.platform = undefined
    return isNews ? known : undefined
  }

  return {
    follow(crate, entries) {
      const entry = pickVersion(entries, crate.wanted.req)
      const node = entry && grow(crate, entry)
      if (node === undefined) return []
      const { features, defaultFeatures, platform } = node
      return dependenciesOf(node.entry, { features: [...features], defaultFeatures })
        .filter(({ registry }) => isFromHere(registry))
        .map(({ name, wanted, target }) => ({
          name: name.toLowerCase(),
          wanted,
          platform: platform ?? platformOf(target),
        }))
    },
    has: (name) => names.has(name),
    optional: (name) =>
      [...nodes.values()]
        .filter((node) => node.name === name)
        .flatMap(({ entry }) => entry.deps.filter(({ optional, kind }) => optional && kind !== 'dev'))
        .filter(({ registry }) => isFromHere(registry))
        .map((dep) => (dep.package ?? dep.name).toLowerCase())
        .filter((one) => !names.has(one)),
    enabling: (name) => [...nodes.values()].flatMap((node) => enabledBy(node, name)),
    versions: () => nodes.values(),
  }
}

function enabledBy({ name: of, entry, platform }: Node, name: string): GuessedCrate[] {
  const dep = entry.deps.find((one) => one.optional && (one.package ?? one.name).toLowerCase() === name)
  if (dep === undefined) return []
  const features = Object.entries({ ...entry.features, ...entry.features2 })
    .filter(([, list]) => list.includes(`dep:${dep.name}`) || list.includes(dep.name))
    .sort(([, a], [, b]) => a.length - b.length)
  const feature = features[0]?.[0] ?? dep.name
  const wanted = { req: `=${entry.vers}`, features: [feature], defaultFeatures: false }
  return [{ name: of, wanted, platform }]
}

/** Whether a dependency is one that this registry is asked for: its own crates, and those of crates.io that it replaces. */
export function isFromHere(registry: string | null | undefined): boolean {
  return registry == null || sameRegistry(registry, CRATES_IO_INDEX)
}

/** `not(windows)` is wanted nearly everywhere, and what is not known is better fetched. */
function platformOf(target: string | null): Platform | undefined {
  if (target === null || /\b(not|any)\s*\(/.test(target)) return undefined
  return PLATFORMS.find(([pattern]) => pattern.test(target))?.[1]
}
