import type { IndexEntry } from '../../protocol/index-entry.ts'
import { type AskedCrate, type ClientGraph, planOf } from './client-graph.ts'

/** A client whose versions were guessed wrong so often has a lock file of its own. */
const MAX_CORRECTIONS = 8
/** Milliseconds for which a plan holds, whatever else the client reads: making one is work. */
const PLAN_HOLDS_MS = 500
/** What a right guess of a crate earns, in crates that may be fetched ahead, and what a wrong one costs. */
const RIGHT_EARNS = 16
const WRONG_COSTS = 16

/** What names a crate file in a {@link ClientGraph}. */
export function crateKey({ name, version }: AskedCrate): string {
  return `${name}@${version}`
}

/** Learns from what a client asked for since the last time whether its graph was guessed right. */
export function judgeGuesses(graph: ClientGraph, asked: readonly AskedCrate[], now: number): void {
  if (graph.plan.of !== graph.read.size && now - graph.plan.at > PLAN_HOLDS_MS)
    graph.plan = planOf(graph, now)
  let isCorrected = false
  for (const crate of asked) {
    const guessed = graph.plan.versions.get(crateKey(crate))
    graph.credit += guessed === undefined ? -WRONG_COSTS : RIGHT_EARNS
    if (guessed?.platform !== undefined) graph.platforms.add(guessed.platform)
    if (guessed !== undefined || !graph.roots.has(crate.name) || graph.known.has(crate.name)) continue
    graph.known.set(crate.name, crate.version)
    isCorrected = true
  }
  if (isCorrected && graph.known.size <= MAX_CORRECTIONS) graph.plan = planOf(graph, now)
}

/** The versions to fetch next, in order, for as long as guesses are trusted; each is yielded once. */
export function* nextCrates(graph: ClientGraph): Generator<IndexEntry> {
  for (const [key, { entry, platform }] of graph.plan.versions) {
    if (graph.credit <= 0) return
    if (graph.seenCrates.has(key) || (platform !== undefined && !graph.platforms.has(platform))) continue
    yield entry
    graph.seenCrates.add(key)
    graph.credit -= 1
  }
}
