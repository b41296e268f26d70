import { LRUCache } from 'lru-cache'
import type { Logger } from '../../host.ts'
import type { IndexEntry } from '../../protocol/index-entry.ts'
import { createGraphGuess, type GraphGuess, type GuessedCrate, type Platform } from './graph-guess.ts'
import { createQueue, type Queue } from './queue.ts'

/** Clients whose graphs are followed at a time, and how long a pause ends a graph. */
const MAX_CLIENTS = 500
const IDLE_MS = 60_000
/** Requests ahead that run at a time, for all clients: real ones find connections free. */
const PARALLEL_INDEX = 24
const PARALLEL_CRATES = 24
/** What waited for so long is no longer ahead of anybody. */
const MAX_QUEUED_MS = 10_000
/** Crates that may be on their way before any guess proved right; a right one earns more, a wrong one costs. */
const FIRST_CRATES = 24
const RIGHT_EARNS = 8
const WRONG_COSTS = 16

/** What was fetched ahead, and whether anybody wanted it. */
export type AheadOutcome = 'fetched' | 'used'

/**
 * Fetches what a client is going to ask next. Over plain http cargo asks for one index file at a time, layer by layer;
 * each that is not here costs a round trip to the uplink, unless it was fetched while the client read the one before.
 */
export interface Ahead {
  /** A client got an index file; its entries are asked for only when they are of use. */
  indexServed(client: string, name: string, entries: () => readonly IndexEntry[]): void
  /** A client asked for a crate file. */
  crateAsked(client: string, name: string, version: string): void
  close(): Promise<void>
}

export interface AheadDeps {
  /** Most files of one client that wait or are fetched; 0: nothing is fetched ahead. */
  readonly max: number
  readonly logger: Logger
  readonly monotonic: () => number
  /** The index entries of a crate, fetched if need be; `undefined` when it cannot be had. */
  entries(
    name: string,
  ): Promise<{ readonly entries: readonly IndexEntry[]; readonly fetched: boolean } | undefined>
  /** Brings the file of a version here; whether it had to be fetched. */
  bring(name: string, version: string): Promise<boolean>
  onOutcome(kind: 'index' | 'crate', outcome: AheadOutcome): void
}

/** One client's graph. */
interface Graph {
  readonly guess: GraphGuess
  /** Names whose index files the client asked for, in its order. */
  readonly asked: Set<string>
  readonly fetchedIndex: Set<string>
  readonly fetchedCrates: Set<string>
  /** Crate files that were fetched ahead or asked for. */
  readonly seenCrates: Set<string>
  readonly platforms: Set<Platform>
  waiting: number
  /** Crate files that may be fetched ahead of the next right guess; undefined: no download yet. */
  credit: number | undefined
}

export function createAhead(deps: AheadDeps): Ahead {
  const graphs = new LRUCache<string, Graph>({ max: MAX_CLIENTS, ttl: IDLE_MS, updateAgeOnGet: true })
  const index = createQueue(PARALLEL_INDEX, MAX_QUEUED_MS, deps.monotonic)
  const crates = createQueue(PARALLEL_CRATES, MAX_QUEUED_MS, deps.monotonic)

  function graphOf(client: string): Graph {
    const known = graphs.get(client)
    if (known !== undefined) return known
    const graph: Graph = {
      guess: createGraphGuess(),
      asked: new Set(),
      fetchedIndex: new Set(),
      fetchedCrates: new Set(),
      seenCrates: new Set(),
      platforms: new Set(),
      waiting: 0,
      credit: undefined,
    }
    graphs.set(client, graph)
    return graph
  }

  function enqueue(graph: Graph, queue: Queue, work: () => Promise<void>): void {
    if (graph.waiting >= deps.max) return
    graph.waiting += 1
    queue.add(
      () => work().catch((error) => deps.logger.debug({ err: error }, 'nothing was fetched ahead')),
      () => {
        graph.waiting -= 1
      },
    )
  }

  function follow(graph: Graph, crate: GuessedCrate, entries: readonly IndexEntry[]): void {
    for (const next of graph.guess.follow(crate, entries)) {
      enqueue(graph, index, async () => {
        const found = await deps.entries(next.name)
        if (found === undefined) return
        if (found.fetched && !graph.asked.has(next.name) && !graph.fetchedIndex.has(next.name)) {
          graph.fetchedIndex.add(next.name)
          deps.onOutcome('index', 'fetched')
        }
        follow(graph, next, found.entries)
      })
    }
  }

  /** Once a graph is downloaded: the files of what the client looked at, the last first, as cargo takes them. */
  function bringCrates(graph: Graph): void {
    for (const name of [...graph.asked].reverse()) {
      for (const { entry, platform } of graph.guess.versionsOf(name)) {
        if ((graph.credit ?? 0) <= 0) return
        const key = `${entry.name}@${entry.vers}`
        if (graph.seenCrates.has(key) || (platform !== undefined && !graph.platforms.has(platform))) continue
        graph.seenCrates.add(key)
        graph.credit = (graph.credit ?? 0) - 1
        enqueue(graph, crates, async () => {
          if (!(await deps.bring(entry.name, entry.vers))) return
          graph.fetchedCrates.add(key)
          deps.onOutcome('crate', 'fetched')
        })
      }
    }
  }

  return {
    indexServed(client, name, entries) {
      if (deps.max === 0) return
      const key = name.toLowerCase()
      const graph = graphOf(client)
      graph.asked.add(key)
      if (graph.fetchedIndex.delete(key)) deps.onOutcome('index', 'used')
      // What was guessed is followed already, with the features that are really wanted.
      if (graph.guess.has(key)) return
      follow(
        graph,
        { name: key, wanted: { features: [], defaultFeatures: true }, platform: undefined },
        entries(),
      )
    },

    crateAsked(client, name, version) {
      const graph = graphs.get(client)
      if (deps.max === 0 || graph === undefined) return
      const key = `${name}@${version}`
      const versions = graph.guess.versionsOf(name.toLowerCase())
      const guessed = versions.find(({ entry }) => entry.vers === version)
      if (guessed?.platform !== undefined) graph.platforms.add(guessed.platform)
      if (graph.credit === undefined) graph.credit = FIRST_CRATES
      else graph.credit += guessed === undefined ? -WRONG_COSTS : RIGHT_EARNS
      if (graph.fetchedCrates.delete(key)) deps.onOutcome('crate', 'used')
      graph.seenCrates.add(key)
      bringCrates(graph)
    },

    async close() {
      await Promise.all([index.close(), crates.close()])
    },
  }
}
