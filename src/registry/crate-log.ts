import { LRUCache } from 'lru-cache'
import { CargoError } from '../errors.ts'
import type { Logger, ObjectStore } from '../host.ts'
import { type Change, encodeChange } from '../protocol/change.ts'
import { type CrateRecord, encodeRecordInParts, foldChange } from '../protocol/record.ts'
import { cacheKey, catchUp, coldRead, readChange } from './crate-log-reader.ts'
import { inTurns } from './in-turns.ts'
import { changeKey, checkpointKey } from './keys.ts'
import { knownKeys } from './known-keys.ts'
import { createAfter } from './put-after.ts'
import { recordBytes } from './record-bytes.ts'
import type { SealedCache } from './sealed-cache.ts'
import type { Soon } from './soon.ts'

/** For so long a record is served without asking the store whether it grew (design: visible everywhere in a second). */
const TRUSTED_MS = 1000
/** For so long a known record is served, marked stale, while the store is away. */
const STALE_MS = 60_000
/** A checkpoint every so many changes: a cold read never replays more than about twice that. */
const CHECKPOINT_EVERY = 32
/** Bytes of records kept in process. */
const MAX_RECORD_BYTES = 128 * 1024 * 1024
/** A change loses this often only when the store is broken: each loss means that another one was accepted. */
const MAX_ATTEMPTS = 1000

/** What is known of a name. */
export interface LocalCrate {
  /** Absent: the name was never published here. */
  readonly record: CrateRecord | undefined
  /** The store is away, and this is the last state seen, at most a minute old. */
  readonly stale: boolean
}

/** What is known of a name, and whether that needed a look at the store. */
export interface WarmCrate extends Pick<LocalCrate, 'record'> {
  readonly found: 'hit' | 'miss'
}

export interface ReadOptions {
  /** As of now. */
  readonly fresh?: boolean
  /**
   * While the store is away, that a name was not local at most a minute ago is an answer too. Who asks for that must not
   * go to an uplink with it: somebody may have published the name since.
   */
  readonly absence?: boolean
}

/** The change to make of a crate, if any; may be asked again. */
type Decide = (record: CrateRecord | undefined) => Change | undefined

/** The change logs of all crates. */
export interface CrateLog {
  /**
   * The state of a crate, at most a second old; with `fresh`, as of now.
   * @throws {CargoError} `unavailable` when the store is away and nothing recent is known
   */
  read(name: string, options?: ReadOptions): Promise<LocalCrate>
  /**
   * What {@link CrateLog.read} would say of a name that is in memory, with one look at the store if there was none for
   * a second; `undefined` for other names, and while the store is away. Whoever makes use of it tells how it was `found`.
   */
  warm(name: string): Soon<WarmCrate | undefined>
  /**
   * Accepts the change that `decide` makes of the current state; decides again when another writer was faster.
   * The change is durable and visible here when the promise resolves, to nobody before what it names is `stored`. No
   * change leaves the crate as it is.
   * @throws {CargoError} whatever `decide` throws, or the store's failure, or that of what was to be stored
   */
  append(name: string, decide: Decide, stored?: Promise<unknown>): Promise<CrateRecord | undefined>
  /** Waits for checkpoints under way. */
  close(): Promise<void>
}

export interface CrateLogDeps {
  readonly storage: ObjectStore
  readonly cache: SealedCache
  readonly logger: Logger
  /** Milliseconds on a clock that never jumps. */
  readonly monotonic: () => number
  /** Told of every record that was read from the store instead of from memory. */
  readonly onColdRead?: (record: CrateRecord) => void
  readonly onLookup?: (result: 'hit' | 'miss') => void
}

interface Known {
  readonly record: CrateRecord | undefined
  readonly checkedAt: number
}

/** The logs in `storage`, with recently used records kept in process. */
export function createCrateLog(deps: CrateLogDeps): CrateLog {
  const { storage, monotonic, logger } = deps
  const known = new LRUCache<string, Known>({ maxSize: MAX_RECORD_BYTES, sizeCalculation: recordBytes })
  const refreshing = new Map<string, Promise<Known>>()
  const writing = new Map<string, Promise<unknown>>()
  const background = new Set<Promise<unknown>>()

  function remember(key: string, record: CrateRecord | undefined, checkedAt: number): Known {
    const current = known.peek(key)
    // A slow reader must not put an older state over a newer one.
    const newest = (current?.record?.n ?? 0) > (record?.n ?? 0) ? current?.record : record
    const entry = { record: newest, checkedAt }
    known.set(key, entry)
    return entry
  }

  async function refresh(key: string): Promise<Known> {
    const startedAt = monotonic()
    const before = known.peek(key)?.record
    const record = before ? await catchUp(storage, before) : await coldRead(deps, key)
    if (record !== undefined && before === undefined) {
      keepCopies(key, record, false)
      deps.onColdRead?.(record)
    }
    return remember(key, record, startedAt)
  }

  function refreshOnce(key: string): Promise<Known> {
    const running = refreshing.get(key)
    if (running !== undefined) return running
    const started = refresh(key).finally(() => refreshing.delete(key))
    refreshing.set(key, started)
    return started
  }

  /** Copies of a large record are made now and then only: a copy that is a few changes old is caught up. */
  function keepFold(key: string, record: CrateRecord): void {
    const isDue = record.n % CHECKPOINT_EVERY === 0
    if (isDue || record.n < CHECKPOINT_EVERY) keepCopies(key, record, isDue)
  }

  /** Leaves a copy in the cache, and one in the store; whoever caused it does not wait. */
  function keepCopies(key: string, record: CrateRecord, isCheckpoint: boolean): void {
    const work = inTurns(encodeRecordInParts(record))
      .then((bytes) =>
        Promise.all([
          deps.cache.set(cacheKey(key), bytes),
          isCheckpoint && storage.put(checkpointKey(key), bytes),
        ]),
      )
      .catch((error) => logger.warn({ err: error, crate: record.name }, 'checkpoint was not written'))
      .finally(() => background.delete(work))
    background.add(work)
  }

  async function appendNow(key: string, decide: Decide, stored?: Promise<unknown>) {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const { record, change } = await decideOn(key, decide, attempt === 0)
      if (change === undefined) return record
      const n = (record?.n ?? 0) + 1
      if (await place(key, n, change, stored)) {
        const next = foldChange(record, n, change)
        remember(key, next, monotonic())
        keepFold(key, next)
        return next
      }
    }
    throw new CargoError('unavailable', `crate \`${key}\` is changed by too many writers at once`)
  }

  /**
   * What is made of a crate. A state that is trusted will do for a change: if it is not the last one, the change finds
   * its number taken. A refusal must be of the last one.
   */
  async function decideOn(key: string, decide: Decide, mayTrust: boolean) {
    const entry = known.get(key)
    if (mayTrust && isTrusted(entry)) {
      try {
        const change = decide(entry.record)
        if (change !== undefined) return { record: entry.record, change }
      } catch {
        // It is asked again below.
      }
    }
    const { record } = await refresh(key)
    return { record, change: decide(record) }
  }

  async function place(key: string, n: number, change: Change, stored?: Promise<unknown>): Promise<boolean> {
    try {
      const isFirst = await createAfter(storage, changeKey(key, n), encodeChange(change), stored)
      return isFirst || (await isOurs(key, n, change))
    } catch (error) {
      // It may be there all the same, as a file whose folder could not be synced is.
      distrust(key)
      throw error
    }
  }

  /** The next read looks. */
  function distrust(key: string): void {
    const entry = known.peek(key)
    if (entry === undefined) return
    known.set(key, { ...entry, checkedAt: Math.min(entry.checkedAt, monotonic() - TRUSTED_MS - 1) })
  }

  async function isOurs(key: string, n: number, change: Change): Promise<boolean> {
    return (await readChange(storage, key, n))?.id === change.id
  }

  const keyOf = knownKeys()

  const isTrusted = (entry: Known | undefined): entry is Known =>
    entry !== undefined && monotonic() - entry.checkedAt <= TRUSTED_MS

  return {
    warm(name) {
      const key = keyOf(name)
      const entry = known.get(key)
      if (entry === undefined) return undefined
      if (isTrusted(entry)) return { record: entry.record, found: 'hit' }
      return refreshOnce(key).then(
        ({ record }) => ({ record, found: 'miss' }) as const,
        () => undefined,
      )
    },
    async read(name, { fresh = false, absence = false } = {}) {
      const key = keyOf(name)
      const entry = known.get(key)
      if (!fresh && isTrusted(entry)) {
        deps.onLookup?.('hit')
        return { record: entry.record, stale: false }
      }
      deps.onLookup?.('miss')
      try {
        return { record: (await (fresh ? refresh(key) : refreshOnce(key))).record, stale: false }
      } catch (error) {
        const last = fresh || monotonic() - (entry?.checkedAt ?? 0) > STALE_MS ? undefined : entry
        if (last === undefined || (last.record === undefined && !absence)) throw unavailable(error)
        logger.warn({ err: error, crate: key }, 'storage is away: serving the last state seen')
        return { record: last.record, stale: true }
      }
    },
    append(name, decide, stored) {
      const key = keyOf(name)
      const turn = (writing.get(key) ?? Promise.resolve()).then(() => appendNow(key, decide, stored))
      const settled = turn.catch(() => {})
      writing.set(key, settled)
      void settled.then(() => writing.get(key) === settled && writing.delete(key))
      return turn
    },
    async close() {
      await Promise.allSettled([...writing.values()])
      await Promise.allSettled([...background])
    },
  }
}

function unavailable(error: unknown): CargoError {
  if (error instanceof CargoError) return error
  return new CargoError('unavailable', 'storage is not available, try again later', { cause: error })
}
