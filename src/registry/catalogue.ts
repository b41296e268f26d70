import type { Logger, ObjectStore } from '../host.ts'
import { canonicalName } from '../protocol/name.ts'
import type { CrateRecord } from '../protocol/record.ts'
import { maxVersion } from '../protocol/version.ts'
import { encodeList, parseList } from './catalogue-list.ts'
import { additionKey, additionsPrefix, CATALOGUE, numberOf, snapshotKey, snapshotsPrefix } from './keys.ts'
import { readBytes } from './reliable-storage.ts'

/** What the other replicas added is looked for this often, when someone searches. */
const POLL_MS = 2000
/** A snapshot is written when so many additions came after the last one. */
const SNAPSHOT_EVERY = 256
const MAX_ATTEMPTS = 1000
/** What a power cut takes away is noted again when the crate is next read. */
const DERIVED = { ifAbsent: true, durable: false } as const

/** What search knows of a crate. */
export interface CatalogueEntry {
  readonly name: string
  /** The number of the change that it reflects; the highest wins. */
  readonly n: number
  readonly max_version: string
  readonly description: string
  readonly keywords: readonly string[]
  readonly updated: string
  /** Nothing of it is left to find. */
  readonly gone?: boolean
}

/**
 * All crates, for search: derived from the change logs, eventually consistent, never asked whether a crate exists.
 * Stored as a log of its own (numbered additions, each created once) with a snapshot now and then.
 */
export interface Catalogue {
  /** Every crate that can be found; at most a few seconds old. */
  entries(): Promise<Iterable<CatalogueEntry>>
  /** Takes note of a crate's state, if it is news; returns at once and never fails the caller. */
  note(record: CrateRecord): void
  /** The same, of what is to be found. */
  add(entry: CatalogueEntry): void
  /** Waits until what was noted is stored. */
  flush(): Promise<void>
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
  const entries = new Map<string, CatalogueEntry>()
  const pending = new Map<string, CatalogueEntry>()
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

  function merge(list: readonly CatalogueEntry[]): void {
    for (const entry of list) {
      const key = canonicalName(entry.name)
      if ((entries.get(key)?.n ?? 0) < entry.n) entries.set(key, entry)
    }
  }

  /** What is damaged is worth nothing, and no reason to find nothing else. */
  async function readList(key: string): Promise<readonly CatalogueEntry[] | undefined> {
    const object = await storage.get(key)
    if (object === undefined) return undefined
    const bytes = await readBytes(object)
    try {
      return parseList(bytes)
    } catch (error) {
      logger.error({ err: error, key }, 'integrity: a part of the search catalogue is damaged')
      return undefined
    }
  }

  async function readNew(): Promise<void> {
    if (!loaded) {
      for (const n of (await snapshots(storage, root)).toReversed()) {
        const list = await readList(snapshotKey(n, root))
        if (list === undefined) continue
        merge(list)
        last = lastSnapshot = n
        break
      }
      loaded = true
    }
    for await (const { key } of storage.list(additionsPrefix(root), { after: additionKey(last, root) })) {
      const n = numberOf(key)
      if (n === undefined) continue
      merge((await readList(key)) ?? [])
      last = n
    }
    polledAt = monotonic()
  }

  async function writePending(): Promise<void> {
    if (!loaded) await readNew()
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const news = [...pending.values()].filter((entry) => isNews(entry))
      if (news.length === 0) break
      if (await storage.put(additionKey(last + 1, root), encodeList(news), DERIVED)) {
        last += 1
        merge(news)
        break
      }
      await readNew()
    }
    for (const [key, entry] of pending) if (!isNews(entry)) pending.delete(key)
    if (last - lastSnapshot >= SNAPSHOT_EVERY) await writeSnapshot()
  }

  async function writeSnapshot(): Promise<void> {
    await storage.put(snapshotKey(last, root), encodeList([...entries.values()]), DERIVED)
    lastSnapshot = last
  }

  function isNews(entry: CatalogueEntry): boolean {
    return (entries.get(canonicalName(entry.name))?.n ?? 0) < entry.n
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

  /** What was noted here is found at once, stored or not. */
  function* current(): Generator<CatalogueEntry> {
    for (const [key, entry] of entries) if (!pending.has(key) && !entry.gone) yield entry
    for (const entry of pending.values()) if (!entry.gone) yield entry
  }

  function add(entry: CatalogueEntry): void {
    const key = canonicalName(entry.name)
    if (loaded && !isNews(entry)) return
    if ((pending.get(key)?.n ?? 0) < entry.n) pending.set(key, entry)
    schedule()
  }

  return {
    async entries() {
      if (monotonic() - polledAt > POLL_MS) await inTurn(readNew)
      return [...current()]
    },
    note: (record) => add(summarize(record)),
    add,
    async flush() {
      await inTurn(async () => pending.size > 0 && (await writePending())).catch(warn)
    },
  }
}

/** What search knows of a crate in this state. */
export function summarize(record: CrateRecord): CatalogueEntry {
  const all = [...record.versions.values()]
  const offered = all.filter(({ entry }) => !entry.yanked)
  const candidates = offered.length > 0 ? offered : all
  const max = maxVersion(candidates.map(({ entry }) => entry.vers)) ?? ''
  const details = candidates.find(({ entry }) => entry.vers === max)?.details
  return {
    name: record.name,
    n: record.n,
    max_version: max,
    description: details?.description ?? '',
    keywords: details?.keywords ?? [],
    updated: record.updated,
    ...(all.length === 0 && { gone: true }),
  }
}

async function snapshots(storage: ObjectStore, root: string): Promise<readonly number[]> {
  const numbers: number[] = []
  for await (const { key } of storage.list(snapshotsPrefix(root))) numbers.push(numberOf(key) ?? 0)
  return numbers
}
