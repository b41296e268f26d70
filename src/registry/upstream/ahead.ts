import { LRUCache } from 'lru-cache'
import type { Logger } from '../../host.ts'
import type { IndexEntry } from '../../protocol/index-entry.ts'
import { type ClientGraph, isFull, newGraph, noteAsked, type ReadEntries } from './client-graph.ts'
import { crateKey, judgeGuesses, nextCrates } from './crates-ahead.ts'
import type { GuessedCrate } from './graph-guess.ts'
import { reasonsFor } from './hints.ts'
import { createQueue } from './queue.ts'

/** A pause of so many milliseconds ends a graph. */
const IDLE_MS = 60_000
/** Clients whose graphs are followed at a time. */
export const FOLLOWED_CLIENTS = { max: 500, ttl: IDLE_MS, updateAgeOnGet: true } as const
/** Requests ahead that run at a time, for all clients: of Verdaccio's 40 connections some stay for real ones. */
const PARALLEL = 32
/** What waited for so long is no longer ahead of anybody. */
const MAX_QUEUED_MS = 10_000
/** Crate files of one client that are remembered: no graph that people build has more. */
const MAX_CRATES = 2_000
/**
 * Optional dependencies of a direct one that are fetched although nothing is known of the features that are enabled, and
 * how many of the features have to bring one.
 */
const MAX_OPTIONAL = 8
const MIN_FEATURES = 3
/** What a client asks for within so many milliseconds is judged at once: making a plan is work. */
const JUDGED_AFTER_MS = 3

/** What was fetched ahead, and whether anybody wanted it. */
export type AheadOutcome = 'fetched' | 'used'

/**
 * Fetches what a client is going to ask next. Over plain http cargo asks for one index file at a time, layer by layer;
 * each that is not here costs a round trip to the uplink, unless it was fetched while the client read the one before.
 */
export interface Ahead {
  /** A client asks for an index file; returns what is to be called at the end, whether it was served or not. */
  indexAsked(client: string, name: string): () => void
  /** A client got an index file; its entries are asked for only when they are of use, and may be gone by then. */
  indexServed(client: string, name: string, entries: ReadEntries): void
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

export function createAhead(deps: AheadDeps): Ahead {
  const { monotonic } = deps
  const graphs = new LRUCache<string, ClientGraph>(FOLLOWED_CLIENTS)
  const queue = createQueue(PARALLEL, MAX_QUEUED_MS, monotonic)
  let isClosed = false

  function graphOf(client: string): ClientGraph {
    const known = graphs.get(client)
    if (known !== undefined) return known
    // What old graphs hold of index files is nobody's any more.
    graphs.purgeStale()
    const graph = newGraph()
    graphs.set(client, graph)
    return graph
  }

  /** `done` is called once, when the work gives its place back, ends, or is dropped. */
  function enqueue(
    graph: ClientGraph,
    kind: 'index' | 'crate',
    work: (done: () => void) => Promise<void>,
    ended: () => void = () => {},
  ): boolean {
    if (graph.waiting >= deps.max) return false
    graph.waiting += 1
    let isWaiting = true
    const done = () => {
      if (!isWaiting) return
      isWaiting = false
      graph.waiting -= 1
      ended()
    }
    const isQueued = queue.add(
      () => work(done).catch((error) => deps.logger.debug({ err: error }, 'nothing was fetched ahead')),
      done,
      // Without index files nobody gets to the crates.
      kind === 'index',
    )
    if (!isQueued) graph.waiting -= 1
    return isQueued
  }

  function tell(graph: ClientGraph, kind: 'index' | 'crate', key: string): void {
    graph.fetched.add(key)
    deps.onOutcome(kind, 'fetched')
  }

  function follow(graph: ClientGraph, crate: GuessedCrate, entries: readonly IndexEntry[]): void {
    const stack = [...graph.guess.follow(crate, entries)].reverse()
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const here = graph.here.get(next.name)?.()
      if (here === undefined) fetchIndex(graph, next.name, next)
      else stack.push(...graph.guess.follow(next, here))
    }
  }

  /** Fetches an index file once, whatever else is to be followed when it is here. */
  function fetchIndex(graph: ClientGraph, name: string, ...crates: readonly GuessedCrate[]): void {
    const others = graph.coming.get(name)
    if (others !== undefined) {
      others.push(...crates)
      return
    }
    const wanting = [...crates]
    if (graph.asked.has(name)) {
      // Followed when it is served.
      graph.coming.set(name, wanting)
      return
    }
    const work = async (done: () => void) => {
      const found = await deps.entries(name)
      done()
      if (found === undefined) return
      if (found.fetched && !graph.read.has(name) && !graph.fetched.has(name)) tell(graph, 'index', name)
      const ref = new WeakRef(found.entries)
      graph.here.set(name, () => ref.deref())
      for (const one of wanting) follow(graph, one, found.entries)
    }
    if (enqueue(graph, 'index', work, () => graph.coming.delete(name))) graph.coming.set(name, wanting)
  }

  function noteIndex(graph: ClientGraph, name: string): void {
    if (graph.asked.has(name) || graph.read.has(name) || isFull(graph)) return
    if (noteAsked(graph, name) !== 'hint') return
    const reasons = reasonsFor(graph, name)
    for (const crate of reasons) follow(graph, crate, graph.read.get(crate.name)?.() ?? [])
  }

  /** People enable features of what they name themselves. */
  function fetchOptional(graph: ClientGraph, name: string): void {
    const likely = graph.guess.optional(name).filter(({ features }) => features >= MIN_FEATURES)
    for (const one of likely.slice(0, MAX_OPTIONAL))
      if (!graph.here.has(one.name)) fetchIndex(graph, one.name)
  }

  function bringCrates(graph: ClientGraph): void {
    if (isClosed) return
    judgeGuesses(graph, graph.askedCrates.splice(0), monotonic())
    for (const { name, vers } of nextCrates(graph)) {
      const key = crateKey({ name: name.toLowerCase(), version: vers })
      const isQueued = enqueue(graph, 'crate', async () => {
        if (await deps.bring(name, vers)) tell(graph, 'crate', key)
      })
      if (!isQueued) return
    }
  }

  function tellUsed(graph: ClientGraph, kind: 'index' | 'crate', key: string): void {
    if (graph.fetched.delete(key)) deps.onOutcome(kind, 'used')
  }

  return {
    indexAsked(client, name) {
      if (deps.max === 0) return () => {}
      const key = name.toLowerCase()
      const graph = graphOf(client)
      noteIndex(graph, key)
      return () => {
        graph.asked.delete(key)
        graph.coming.delete(key)
      }
    },

    indexServed(client, name, entries) {
      if (deps.max === 0) return
      const key = name.toLowerCase()
      const graph = graphOf(client)
      tellUsed(graph, 'index', key)
      // Again, and nothing has changed.
      if (graph.read.get(key) === entries) return
      noteIndex(graph, key)
      // Of no more files than that is anything remembered.
      if (!graph.asked.delete(key) && !graph.read.has(key)) return
      graph.read.set(key, entries)
      graph.here.set(key, entries)
      const found = entries() ?? []
      for (const one of graph.coming.get(key) ?? []) follow(graph, one, found)
      if (!graph.guess.has(key)) graph.roots.add(key)
      if (!graph.roots.has(key)) return
      follow(graph, { name: key, wanted: { features: [], defaultFeatures: true } }, found)
      // Who waits for others already knows by itself what it wants next.
      if (graph.asked.size === 0) fetchOptional(graph, key)
    },

    crateAsked(client, name, version) {
      const graph = graphs.get(client)
      if (deps.max === 0 || graph === undefined || graph.seenCrates.size > MAX_CRATES) return
      const asked = { name: name.toLowerCase(), version }
      const key = crateKey(asked)
      // Again: it says nothing new.
      if (graph.askedBefore.has(key)) return
      graph.askedBefore.add(key)
      tellUsed(graph, 'crate', key)
      graph.seenCrates.add(key)
      // Who asks for all at once is as fast as the uplink.
      if (graph.asksAtOnce) return
      if (graph.askedCrates.push(asked) === 1) setTimeout(() => bringCrates(graph), JUDGED_AFTER_MS).unref()
    },

    async close() {
      isClosed = true
      await queue.close()
    },
  }
}
