import type { IndexEntry } from '../../protocol/index-entry.ts'
import { dependenciesOf, pickVersion, type Wanted } from '../../protocol/lookahead.ts'
import { CRATES_IO_INDEX, sameRegistry } from '../../protocol/registry-url.ts'

/** A version that is likely to be in a client's graph. */
export interface GuessedVersion {
  readonly name: string
  readonly entry: IndexEntry
  /** The kind of platform that alone wants it; `undefined`: every one does. */
  readonly platform: Platform | undefined
}

/** Platforms whose crates a build on another one does not download. */
export type Platform = 'windows' | 'apple' | 'wasm' | 'android'

/** A crate that a resolver is going to ask for. */
export interface GuessedCrate {
  readonly name: string
  readonly wanted: Wanted
  readonly platform: Platform | undefined
}

/** What is guessed of one client's dependency graph. */
export interface GraphGuess {
  /** What comes next, once a crate's index file is here; nothing that was said before. */
  follow(crate: GuessedCrate, entries: readonly IndexEntry[]): readonly GuessedCrate[]
  has(name: string): boolean
  versionsOf(name: string): readonly GuessedVersion[]
}

interface Node {
  readonly entry: IndexEntry
  readonly features: Set<string>
  defaultFeatures: boolean
  platform: Platform | undefined
}

/** No graph that people build is larger. */
const MAX_NODES = 5_000

const PLATFORMS: readonly (readonly [RegExp, Platform])[] = [
  [/windows/, 'windows'],
  [/wasm|wasi|emscripten/, 'wasm'],
  [/apple|macos|"ios"|tvos|watchos/, 'apple'],
  [/android/, 'android'],
]

export function createGraphGuess(): GraphGuess {
  const nodes = new Map<string, Map<string, Node>>()
  let count = 0

  /** The node with what this crate wants of it; `undefined` when that is nothing new. */
  function grow({ name, wanted, platform }: GuessedCrate, entry: IndexEntry): Node | undefined {
    const versions = nodes.get(name) ?? new Map<string, Node>()
    nodes.set(name, versions)
    const known = versions.get(entry.vers)
    if (known === undefined) {
      if (count >= MAX_NODES) return undefined
      count += 1
      const { features, defaultFeatures } = wanted
      const node = { entry, features: new Set(features), defaultFeatures, platform }
      versions.set(entry.vers, node)
      return node
    }
    const before = known.features.size
    for (const feature of wanted.features) known.features.add(feature)
    const isNews =
      known.features.size > before ||
      (wanted.defaultFeatures && !known.defaultFeatures) ||
      (platform === undefined && known.platform !== undefined)
    known.defaultFeatures ||= wanted.defaultFeatures
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
        .filter(({ registry }) => registry === null || sameRegistry(registry, CRATES_IO_INDEX))
        .map(({ name, wanted, target }) => ({
          name: name.toLowerCase(),
          wanted,
          platform: platform ?? platformOf(target),
        }))
    },
    has: (name) => nodes.has(name),
    versionsOf: (name) =>
      [...(nodes.get(name)?.values() ?? [])].map(({ entry, platform }) => ({ name, entry, platform })),
  }
}

/** `not(windows)` is wanted nearly everywhere, and what is not known is better fetched. */
function platformOf(target: string | null): Platform | undefined {
  if (target === null || /\b(not|any)\s*\(/.test(target)) return undefined
  return PLATFORMS.find(([pattern]) => pattern.test(target))?.[1]
}
