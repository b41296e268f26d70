import { LRUCache } from 'lru-cache'
import { type Ahead, FOLLOWED_CLIENTS } from './ahead.ts'

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
    const client = { kept: [], hasMissed: false }
    clients.set(name, client)
    return client
  }

  function note(name: string, tell: () => void): void {
    const client = clientOf(name)
    // Beyond that it is at another graph.
    if (client.kept.length >= MAX_KEPT) client.kept = []
    if (client.hasMissed && client.kept.length === 0) {
      tell()
      return
    }
    if (keptOfAll >= MAX_KEPT_OF_ALL) forgetAll()
    client.kept.push(tell)
    keptOfAll += 1
  }

  function forgetAll(): void {
    for (const client of clients.values()) client.kept = []
    keptOfAll = 0
  }

  function makeUp(client: Client): void {
    for (const tell of client.kept.splice(0, PER_TURN)) tell()
    if (client.kept.length > 0) setImmediate(makeUp, client)
  }

  return {
    missed(name) {
      const client = clientOf(name)
      if (client.hasMissed) return
      client.hasMissed = true
      makeUp(client)
    },
    indexAsked(client, name) {
      let answered = () => {}
      note(client, () => {
        answered = ahead.indexAsked(client, name)
      })
      return () => note(client, () => answered())
    },
    indexServed: (client, name, entries) => note(client, () => ahead.indexServed(client, name, entries)),
    crateAsked: (client, name, version) => note(client, () => ahead.crateAsked(client, name, version)),
    close: ahead.close,
  }
}
