import type { IndexEntry } from '../../protocol/index-entry.ts'
import { planDownloads } from './download-plan.ts'
import {
  createGraphGuess,
  type GraphGuess,
  type GuessedCrate,
  type GuessedVersion,
  type Platform,
} from './graph-guess.ts'

/** Crates that may be on their way before any guess proved right; a right one earns more, a wrong one costs. */
const FIRST_CRATES = 48
/** Files of one client that are remembered: no graph that people build has more. */
const MAX_READ = 2_000
/** Over HTTP/1.1 cargo asks for one index file at a time; over HTTP/2 for all that it knows of. */
const MANY_AT_ONCE = 16

/** Looks again at the entries of a file that was served; it must not keep them in memory. */
export type ReadEntries = () => readonly IndexEntry[] | undefined

/** A crate file that a client asks for. */
export interface AskedCrate {
  /** In lower case. */
  readonly name: string
  readonly version: string
}

/** One client's graph. */
export interface ClientGraph {
  readonly guess: GraphGuess
  /** The index files that the client asked for and has not got yet. */
  readonly asked: Set<string>
  /** The index files that the client read, in its order. */
  readonly read: Map<string, ReadEntries>
  /** Index files that were seen, by whoever. */
  readonly here: Map<string, ReadEntries>
  /** Those on their way, and what of them is wanted. */
  readonly coming: Map<string, GuessedCrate[]>
  /** Those that nothing led to: its direct dependencies. */
  readonly roots: Set<string>
  /** Direct dependencies of which an older version was guessed. */
  readonly older: Set<string>
  /** Fetched ahead, and not asked for yet. */
  readonly fetched: Set<string>
  /** Crate files that were fetched ahead or asked for. */
  readonly seenCrates: Set<string>
  /** Crate files that were asked for. */
  readonly askedBefore: Set<string>
  /** Those of them that were not since the guesses were last judged. */
  readonly askedCrates: AskedCrate[]
  readonly platforms: Set<Platform>
  /** Versions of direct dependencies that were guessed wrong. */
  readonly known: Map<string, string>
  /** The last of the direct dependencies as long as nothing else was asked for: cargo asks for them in order. */
  lastRoot: string | undefined
  /** Whether the client asks for many files at once, and so needs less help. */
  asksAtOnce: boolean
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
    asked: new Set(),
    read: new Map(),
    here: new Map(),
    coming: new Map(),
    roots: new Set(),
    older: new Set(),
    fetched: new Set(),
    seenCrates: new Set(),
    askedBefore: new Set(),
    askedCrates: [],
    platforms: new Set(),
    known: new Map(),
    lastRoot: '',
    asksAtOnce: false,
    plan: { of: 0, at: Number.NEGATIVE_INFINITY, versions: new Map() },
    waiting: 0,
    credit: FIRST_CRATES,
  }
}

/** Whether nothing more is remembered of the client's index files. */
export function isFull({ asked, read }: ClientGraph): boolean {
  return asked.size + read.size >= MAX_READ
}

/**
 * Notes that the client asks for an index file. It is a direct dependency when no file was served before, or as long as
 * the names come in order; what comes then and nothing has led to is a hint.
 */
export function noteAsked(graph: ClientGraph, name: string): 'direct' | 'guessed' | 'hint' {
  const { asked, read, guess, coming, roots } = graph
  asked.add(name)
  if (asked.size >= MANY_AT_ONCE) graph.asksAtOnce = true
  if (graph.lastRoot !== undefined && read.size > 0 && name <= graph.lastRoot) graph.lastRoot = undefined
  const isGuessed = guess.has(name) || (coming.get(name)?.length ?? 0) > 0
  const isDirect = read.size === 0 || (graph.lastRoot !== undefined && !isGuessed)
  if (graph.lastRoot !== undefined) graph.lastRoot = name
  if (isDirect) roots.add(name)
  return isDirect ? 'direct' : isGuessed ? 'guessed' : 'hint'
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
