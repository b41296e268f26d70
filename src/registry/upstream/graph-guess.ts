import type { IndexDep, IndexEntry } from '../../protocol/index-entry.ts'
import {
  dependenciesOf,
  enablingFeature,
  optionalDependencies,
  pickVersion,
  type Wanted,
} from '../../protocol/lookahead.ts'
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

/** An optional dependency, and how many features bring it. */
export interface LikelyCrate {
  /** In lower case. */
  readonly name: string
  readonly features: number
}

/** What is guessed of one client's dependency graph. */
export interface GraphGuess {
  /** What comes next, once a crate's index file is here; nothing that was said before. */
  follow(crate: GuessedCrate, entries: readonly IndexEntry[]): readonly GuessedCrate[]
  has(name: string): boolean
  /** The optional dependencies of a crate that nothing has enabled, those first that most of its features bring. */
  optional(name: string): readonly LikelyCrate[]
  /** The crates that have an optional dependency of that name, with a feature that people may enable for it. */
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
  /** The nodes with an optional dependency, by its name. */
  const optional = new Map<string, [Node, IndexDep][]>()

  function add(node: Node): Node {
    nodes.set(`${node.name}@${node.entry.vers}`, node)
    names.add(node.name)
    for (const dep of node.entry.deps) {
      if (!dep.optional || dep.kind === 'dev' || !isFromHere(dep.registry)) continue
      const name = (dep.package ?? dep.name).toLowerCase()
      const known = optional.get(name)
      if (known === undefined) optional.set(name, [[node, dep]])
      else known.push([node, dep])
    }
    return node
  }

  /** The node with what this crate wants of it; `undefined` when that is nothing new. */
  function grow({ name, wanted, platform }: GuessedCrate, entry: IndexEntry): Node | undefined {
    const key = `${name}@${entry.vers}`
    const { features, defaultFeatures } = wanted
    const known = nodes.get(key)
    if (known === undefined) {
      if (nodes.size >= MAX_NODES) return undefined
      return add({ name, entry, features: new Set(features), defaultFeatures, platform })
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
        .flatMap(({ entry }) => optionalDependencies(entry))
        .filter(({ registry }) => isFromHere(registry))
        .map((dep) => ({ name: dep.name.toLowerCase(), features: dep.features }))
        .filter((dep) => !names.has(dep.name))
        .sort((a, b) => b.features - a.features),
    enabling: (name) => (optional.get(name) ?? []).flatMap(([node, dep]) => enabledBy(node, dep)),
    versions: () => nodes.values(),
  }
}

function enabledBy({ name, entry, platform }: Node, dep: IndexDep): GuessedCrate[] {
  const feature = enablingFeature(entry, dep)
  if (feature === undefined) return []
  return [{ name, wanted: { req: `=${entry.vers}`, features: [feature], defaultFeatures: false }, platform }]
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
