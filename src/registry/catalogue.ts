import type { Logger, ObjectStore } from '../host.ts'
import { canonicalName } from '../protocol/name.ts'
import type { CrateRecord } from '../protocol/record.ts'
import { type CatalogueEntry, isNews, summarize } from './catalogue/entry.ts'
import { type CrateTable, createCrateTable } from './catalogue/table.ts'
import { encodeList, encodeSnapshot, isDamage, LINE, parseList, readSnapshot } from './catalogue-list.ts'
import { createTurns } from './in-turns.ts'
import { additionKey, additionsPrefix, CATALOGUE, numberOf, snapshotKey, snapshotsPrefix } from './keys.ts'
import { readBytes, readChunks } from './reliable-storage.ts'

/** What the other replicas added is looked for this often, when someone searches. */
const POLL_MS = 2000
/** A snapshot is written when so many additions came after the last one … */
const SNAPSHOT_EVERY = 256
/** … or this share of all crates, as it is as long as they are many. */
const SNAPSHOT_SHARE = 1 / 64
/** The newest, and the one before it for readers on their way; older ones are removed. */
const SNAPSHOTS_KEPT = 2
const MAX_ATTEMPTS = 1000
/** What a power cut takes away is noted again when the crate is next read. */
const DERIVED = { ifAbsent: true, durable: false } as const

/**
 * All crates, for search and lists: derived from the change logs, eventually consistent, never asked whether a crate
 * exists. Stored as a log of its own (numbered additions, each created once) with a snapshot now and then.
 */
export interface Catalogue {
  /** Every crate that can be found; at most a few seconds old. What is noted here is found at once, stored or not. */
  read(): Promise<CrateTable>
  /** Takes note of a crate's state, if it is news; returns at once and never fails the caller. */
  note(record: CrateRecord): void
  /** The same, of what is to be found. */
  add(entry: CatalogueEntry): void
  /** Waits until what was noted is stored. */
  flush(): Promise<void>
  /** The same, and gives up what it holds. */
  close(): Promise<void>
}

export interface CatalogueDeps {
  readonly storage: ObjectStore
  readonly logger: Logger
  readonly monotonic: () => number
  /** The folder of its objects; default: the catalogue of local crates. */
  readonly root?: string
}

/** The catalogue in `storage`, held in process once somebody searched. */
export function createCatalogue({ storage, logger, monotonic, root = CATALOGUE }: CatalogueDeps): Catalogue {
  const table = createCrateTable((error) =>
    logger.warn({ err: error }, 'there is no room for the search catalogue but in memory'),
  )
  const pending = new Map<string, CatalogueEntry>()
  const pause = createTurns(monotonic)
  let last = 0
  let lastSnapshot = 0
  let loaded = false
  let polledAt = Number.NEGATIVE_INFINITY
  let scheduled = false
  let queue: Promise<unknown> = Promise.resolve()

  /** One reader or writer at a time: they share the position in the log. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = queue.then(task)
    queue = turn.catch(() => {})
    return turn
  }

  /** Takes over what is stored: whoever noted the same here has nothing to store any more. */
  function merge(list: readonly CatalogueEntry[]): void {
    for (const entry of list) {
      table.put(entry)
      if (pending.size === 0) continue
      const key = canonicalName(entry.name)
      const noted = pending.get(key)
      if (noted !== undefined && !isNews(noted, entry)) pending.delete(key)
    }
  }

  /** Whether all of a stored part could be read. What is damaged is worth nothing, and no reason to find nothing else. */
  async function takeOver(key: string, isSnapshot: boolean): Promise<boolean> {
    const object = await storage.get(key)
    if (object === undefined) return false
    try {
      if (isSnapshot) {
        for await (const list of readSnapshot(readChunks(object))) {
          merge(list)
          await pause()
        }
      } else merge(parseList(await readBytes(object)))
      return true
    } catch (error) {
      if (!isDamage(error)) throw error
      logger.error({ err: error, key }, 'integrity: a part of the search catalogue is damaged')
      return false
    }
  }

  async function load(): Promise<void> {
    for (const n of (await snapshots()).toReversed()) {
      if (!(await takeOver(snapshotKey(n, root), true))) continue
      last = lastSnapshot = n
      break
    }
    loaded = true
  }

  async function readNew(): Promise<void> {
    if (!loaded) await load()
    for await (const { key } of storage.list(additionsPrefix(root), { after: additionKey(last, root) })) {
      const n = numberOf(key)
      if (n === undefined) continue
      await takeOver(key, false)
      last = n
      await pause()
    }
    polledAt = monotonic()
  }

  async function writePending(): Promise<void> {
    if (!loaded) await readNew()
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const news = [...pending.values()]
      if (news.length === 0) break
      if (await storage.put(additionKey(last + 1, root), encodeList(news), DERIVED)) {
        last += 1
        merge(news)
        break
      }
      await readNew()
    }
    if (last - lastSnapshot >= Math.max(SNAPSHOT_EVERY, table.rows * SNAPSHOT_SHARE)) await writeSnapshot()
  }

  async function writeSnapshot(): Promise<void> {
    const at = last
    await storage.put(snapshotKey(at, root), encodeSnapshot(lists(table)), DERIVED)
    lastSnapshot = at
    for (const n of (await snapshots()).slice(0, -SNAPSHOTS_KEPT)) await storage.delete(snapshotKey(n, root))
  }

  async function snapshots(): Promise<readonly number[]> {
    const numbers: number[] = []
    for await (const { key } of storage.list(snapshotsPrefix(root))) numbers.push(numberOf(key) ?? 0)
    return numbers
  }

  /** What could not be stored is noted again when the crate is next read. */
  const warn = (error: unknown) => logger.warn({ err: error }, 'search catalogue was not updated')

  /** One write for all that is noted until its turn comes; what is noted while it runs goes into the next. */
  function schedule(): void {
    if (scheduled) return
    scheduled = true
    const write = inTurn(() => {
      scheduled = false
      return writePending()
    })
    write.catch(warn)
  }

  function add(entry: CatalogueEntry): void {
    const key = canonicalName(entry.name)
    if (!table.put(entry) && !pending.has(key)) return
    if (isNews(entry, pending.get(key))) pending.set(key, entry)
    schedule()
  }

  async function flush(): Promise<void> {
    await inTurn(async () => pending.size > 0 && (await writePending())).catch(warn)
  }

  return {
    async read() {
      if (monotonic() - polledAt > POLL_MS) await inTurn(readNew)
      return table
    },
    note: (record) => add(summarize(record)),
    add,
    flush,
    async close() {
      await flush()
      await table.close()
    },
  }
}

/** All entries, also those of crates that are gone: what changes meanwhile is in an addition. */
async function* lists(table: CrateTable): AsyncGenerator<readonly CatalogueEntry[]> {
  for (let from = 0; from < table.rows; from += LINE) {
    const length = Math.min(LINE, table.rows - from)
    yield table.entriesOf(Array.from({ length }, (_, index) => from + index))
  }
}
