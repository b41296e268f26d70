import { LRUCache } from 'lru-cache'
import { type Ahead, FOLLOWED_CLIENTS } from './ahead.ts'
import type { ReadEntries } from './client-graph.ts'
import { crateKey } from './crates-ahead.ts'

/** Requests of one client that are remembered: no graph that people build has more. */
const MAX_KEPT = 4_000
/** Requests of all clients that are remembered before all are forgotten: some 15 MB. */
const MAX_KEPT_OF_ALL = 100_000
/** Requests that are made up for in one turn of the event loop. */
const PER_TURN = 32

/** Fetches ahead of those clients who need it. */
export interface AheadOnMiss extends Ahead {
  /** A client waits, or has waited, for what was not here. */
  missed(client: string): void
}

interface Client {
  /** What it did that `ahead` was not told of yet. */
  kept: (() => void)[]
  /** The index files and crates of that: asked for again they say nothing new, and a busy client asks for ever. */
  readonly served: Map<string, ReadEntries>
  readonly crates: Set<string>
  hasMissed: boolean
}

/**
 * Tells `ahead` what a client does from its first miss on, and then also what it did before. Why: to follow a graph is as
 * much work as to answer all its requests from memory, and where everything is here already nobody is helped by it.
 */
export function createAheadOnMiss(ahead: Ahead): AheadOnMiss {
  const clients = new LRUCache<string, Client>(FOLLOWED_CLIENTS)
  let keptOfAll = 0

  function clientOf(name: string): Client {
    const known = clients.get(name)
    if (known !== undefined) return known
    const client = { kept: [], served: new Map(), crates: new Set<string>(), hasMissed: false }
    clients.set(name, client)
    return client
  }

  /** Whether nothing has to be told first. */
  function isUpToDate({ hasMissed, kept }: Client): boolean {
    return hasMissed && kept.length === 0
  }

  function keep(client: Client, tell: () => void): void {
    // Beyond that it is at another graph.
    if (client.kept.length >= MAX_KEPT) forget(client)
    if (keptOfAll >= MAX_KEPT_OF_ALL) forgetAll()
    client.kept.push(tell)
    keptOfAll += 1
  }

  function note(client: Client, tell: () => void): void {
    if (isUpToDate(client)) tell()
    else keep(client, tell)
  }

  function forget(client: Client): void {
    client.kept = []
    client.served.clear()
    client.crates.clear()
  }

  function forgetAll(): void {
    for (const client of clients.values()) forget(client)
    keptOfAll = 0
  }

  function makeUp(client: Client): void {
    for (const tell of client.kept.splice(0, PER_TURN)) tell()
    if (client.kept.length > 0) setImmediate(makeUp, client)
    else forget(client)
  }

  return {
    missed(name) {
      const client = clientOf(name)
      if (client.hasMissed) return
      client.hasMissed = true
      makeUp(client)
    },
    indexAsked(name, crate) {
      const client = clientOf(name)
      let answered = () => {}
      note(client, () => {
        answered = ahead.indexAsked(name, crate)
      })
      return () => note(client, () => answered())
    },
    indexServed(name, crate, entries) {
      const client = clientOf(name)
      if (isUpToDate(client)) return ahead.indexServed(name, crate, entries)
      if (client.served.get(crate) === entries) return
      keep(client, () => ahead.indexServed(name, crate, entries))
      client.served.set(crate, entries)
    },
    crateAsked(name, crate, version) {
      const client = clientOf(name)
      if (isUpToDate(client)) return ahead.crateAsked(name, crate, version)
      const key = crateKey({ name: crate, version })
      if (client.crates.has(key)) return
      keep(client, () => ahead.crateAsked(name, crate, version))
      client.crates.add(key)
    },
    close: ahead.close,
  }
}
