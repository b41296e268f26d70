import type { IndexEntry } from '../../protocol/index-entry.ts'
import { pickVersion } from '../../protocol/lookahead.ts'
import { needs, planDownloads } from './download-plan.ts'
import {
  createGraphGuess,
  type GraphGuess,
  type GuessedCrate,
  type GuessedVersion,
  type Platform,
} from './graph-guess.ts'

/** Crates that may be on their way before any guess proved right; a right one earns more, a wrong one costs. */
const FIRST_CRATES = 48

/** Direct dependencies that a hint may be about: cargo asks layer by layer. */
const RECENT_ROOTS = 32

/** Looks again at the entries of a file that was served; it must not keep them in memory. */
export type ReadEntries = () => readonly IndexEntry[] | undefined

/** One client's graph. */
export interface ClientGraph {
  readonly guess: GraphGuess
  /** The index files that the client read, in its order. */
  readonly read: Map<string, ReadEntries>
  /** Index files that were seen, by whoever. */
  readonly here: Map<string, ReadEntries>
  /** Those on their way, and what of them is wanted. */
  readonly coming: Map<string, GuessedCrate[]>
  /** Those that nothing led to: its direct dependencies. */
  readonly roots: Set<string>
  /** Fetched ahead, and not asked for yet. */
  readonly fetched: Set<string>
  /** Crate files that were fetched ahead or asked for. */
  readonly seenCrates: Set<string>
  readonly platforms: Set<Platform>
  /** Versions of direct dependencies that were guessed wrong. */
  readonly known: Map<string, string>
  /** What is to be downloaded; made anew when more is known. */
  plan: Plan
  waiting: number
  /** Crate files that may be fetched ahead of the next right guess. */
  credit: number
}

/** What a client is expected to download. */
export interface Plan {
  /** How many files had been read, and when it was made on the monotonic clock. */
  readonly of: number
  readonly at: number
  readonly versions: ReadonlyMap<string, GuessedVersion>
}

/** A graph of which nothing is known. */
export function newGraph(): ClientGraph {
  return {
    guess: createGraphGuess(),
    read: new Map(),
    here: new Map(),
    coming: new Map(),
    roots: new Set(),
    fetched: new Set(),
    seenCrates: new Set(),
    platforms: new Set(),
    known: new Map(),
    plan: { of: 0, at: Number.NEGATIVE_INFINITY, versions: new Map() },
    waiting: 0,
    credit: FIRST_CRATES,
  }
}

/** Direct dependencies of which another version than the newest needs the crate: cargo may be held to that one. */
export function olderRoots({ read, roots }: ClientGraph, name: string): readonly GuessedCrate[] {
  return [...roots].slice(-RECENT_ROOTS).flatMap((root) => {
    const needing = (read.get(root)?.() ?? []).filter((entry) => needs(entry, name))
    const entry = pickVersion(needing)
    if (entry === undefined) return []
    return [{ name: root, wanted: { req: `=${entry.vers}`, features: [], defaultFeatures: true } }]
  })
}

/** What a client downloads next, judged by what it read until now. */
export function planOf({ read, roots, known }: ClientGraph, at: number): Plan {
  const files = new Map([...read].map(([name, entries]) => [name, entries() ?? []] as const))
  const versions = planDownloads(roots, files, known)
  return {
    of: read.size,
    at,
    versions: new Map(versions.map((one) => [`${one.name}@${one.entry.vers}`, one])),
  }
}
