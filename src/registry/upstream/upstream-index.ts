import { LRUCache } from 'lru-cache'
import type { Logger, MetadataCache } from '../../host.ts'
import {
  entriesInParts,
  type FetchedIndex,
  IndexConflictError,
  isGone,
  nextCopy,
  type UpstreamCopy,
} from '../../protocol/upstream-copy.ts'
import type { Uplink } from '../../uplinks/uplink.ts'
import { inTurns } from '../in-turns.ts'
import { singleFlight } from '../single-flight.ts'
import { withinTime } from '../within-time.ts'
import { createCopyMemory, fileKey, type Known } from './copy-memory.ts'
import type { CopyStore } from './copy-store.ts'
import { type KnownCopy, knownCopy } from './known-copy.ts'
import { createRenewals } from './renewals.ts'
import { inReplicaTurn } from './replica-turn.ts'
import type { SharedAbsence } from './shared-absence.ts'

/** After `maxage`, for so long a copy is served at once and looked after behind the answer. */
const SERVED_STALE_MS = 10 * 60_000
/** An older one waits so long for a new one, then it is served all the same. */
const MAX_WAIT_MS = 3_000
/** A crate that is not there is looked for again after this. */
export const MAX_ABSENT_MS = 30_000
/** After a failure a kept copy is served for so long before the uplink is asked again. */
const PAUSE_MS = 5_000
/** The same while the uplink is left alone anyway: only the store is looked at. */
const SHORT_PAUSE_MS = 1_000
/** Files for which it is remembered that the alarm was raised. */
const MAX_ALARMS = 10_000

/** The index files of uplinks: fetched once, checked, kept, and served while the uplink is away. */
export interface UpstreamIndex {
  /**
   * The index file of a crate; `undefined` when the uplink says that there is none.
   * @param maxAge milliseconds; default the uplink's `maxage`
   * @throws {UplinkError | IndexConflictError} when there is neither a copy nor an answer that can be believed
   */
  read(uplink: Uplink, name: string, maxAge?: number): Promise<KnownCopy | undefined>
  /** What {@link UpstreamIndex.read} would say at once, of copies in memory; `undefined` when it would have to look. */
  ready(uplink: Uplink, name: string): KnownCopy | 'absent' | undefined
  /** What is kept, without asking anybody. */
  peek(uplink: Uplink, name: string): Promise<KnownCopy | undefined>
  close(): Promise<void>
}

export interface UpstreamIndexDeps {
  readonly store: CopyStore
  /** For its lock, if it has one. */
  readonly cache: Pick<MetadataCache, 'lock'>
  /** Asked only where the cache has locks, since others share it then. */
  readonly shared: SharedAbsence
  readonly logger: Logger
  readonly now: () => Date
  readonly monotonic: () => number
  /** Told of every new copy. */
  onCopy(uplink: Uplink, name: string, copy: UpstreamCopy): void
  /** Told once of every body that was not believed, and of crates that are gone. */
  onConflict(uplink: Uplink, name: string, conflict: string, detail: string): void
}

export function createUpstreamIndex(deps: UpstreamIndexDeps): UpstreamIndex {
  const { store, cache, shared, logger, now, monotonic } = deps
  const memory = createCopyMemory({ store, now, monotonic })
  /** What the alarm was raised for since the uplink was last believed. */
  const alarms = new LRUCache<string, string>({ max: MAX_ALARMS })
  const refreshing = singleFlight<Known | undefined>()
  const renewals = createRenewals(monotonic)

  /** Asks the uplink once, whoever wants to know; with a copy it never fails. `cold`: the store had none just now. */
  function refresh(uplink: Uplink, name: string, { cold }: { readonly cold: boolean }) {
    return refreshing.run(fileKey(uplink, name), async () => {
      const before = cold ? memory.get(uplink, name) : await memory.load(uplink, name)
      if (before === undefined) return memory.isAbsent(uplink, name) ? undefined : askInTurn(uplink, name)
      if (cold) return before
      try {
        return await ask(uplink, name, before)
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error)
        if (problem !== before.problem)
          logger.warn({ err: error, uplink: uplink.name, crate: name }, 'index copy was not renewed')
        const pause = uplink.state().asked ? PAUSE_MS : SHORT_PAUSE_MS
        // On the way there, another replica's copy may have been adopted.
        const kept = memory.get(uplink, name) ?? before
        return memory.set(uplink, name, { ...kept, problem, pausedUntil: monotonic() + pause })
      }
    })
  }

  /** Of several replicas one asks for a cold file, the others look for what it stored, or that there is none. */
  function askInTurn(uplink: Uplink, name: string): Promise<Known | undefined> {
    if (cache.lock === undefined) return ask(uplink, name, undefined)
    return inReplicaTurn(cache, `upstream:${fileKey(uplink, name)}`, async () => {
      const copy = await store.newest(uplink.name, name)
      if (copy !== undefined) return memory.adopt(uplink, name, copy)
      const absentMs = await shared.remaining(fileKey(uplink, name))
      if (absentMs === 0) return ask(uplink, name, undefined)
      memory.setAbsent(uplink, name, Math.min(uplink.options.maxage, absentMs))
      return undefined
    })
  }

  async function absent(uplink: Uplink, name: string): Promise<undefined> {
    const ms = Math.min(uplink.options.maxage, MAX_ABSENT_MS)
    memory.setAbsent(uplink, name, ms)
    if (cache.lock && ms > 0) await shared.note(fileKey(uplink, name), ms)
  }

  async function ask(uplink: Uplink, name: string, known: Known | undefined): Promise<Known | undefined> {
    const newer = known && (await store.newer(uplink.name, name, known.copy))
    const before = newer === undefined ? known : memory.adopt(uplink, name, newer)
    const answer = await uplink.index(name, before?.copy)
    switch (answer.kind) {
      case 'absent':
        if (before !== undefined && isGone(before.copy)) return confirmed(uplink, name, before)
        if (before !== undefined)
          return refused(uplink, name, before, 'crate_gone', `crate \`${name}\` is gone`)
        return absent(uplink, name)
      case 'unchanged':
        return before && confirmed(uplink, name, before)
      case 'changed': {
        const { kind: _, ...fetched } = answer
        if (before === undefined || !before.copy.body.equals(fetched.body))
          return take(uplink, name, before, fetched)
        const copy = { ...before.copy, ...fetched, body: before.copy.body }
        return confirmed(uplink, name, { ...before, copy })
      }
    }
  }

  async function take(
    uplink: Uplink,
    name: string,
    before: Known | undefined,
    fetched: FetchedIndex,
  ): Promise<Known | undefined> {
    try {
      await inTurns(entriesInParts(name, fetched.body))
      const copy = nextCopy(name, before?.copy, fetched, now())
      const known = await confirmed(uplink, name, { copy, unstored: true })
      deps.onCopy(uplink, name, known.copy)
      return known
    } catch (error) {
      if (!(error instanceof IndexConflictError)) throw error
      const known = refused(uplink, name, before, error.conflict, error.message)
      if (known === undefined) throw error
      return known
    }
  }

  /** The uplink says that this is its file now. */
  async function confirmed(
    uplink: Uplink,
    name: string,
    { copy, unstored = false }: Pick<Known, 'copy' | 'unstored'>,
  ): Promise<Known> {
    const confirmedAt = monotonic()
    alarms.delete(fileKey(uplink, name))
    if (!unstored) return memory.set(uplink, name, { copy, confirmedAt })
    const stored = await store.add(uplink.name, name, copy).catch((error) => {
      // The disk may be full: what came is served all the same, and stored when it is next confirmed.
      logger.error({ err: error, uplink: uplink.name, crate: name }, 'index copy was not stored')
      return undefined
    })
    // Another replica may have been faster: its copy is what the next one has to follow.
    const theirs = stored === false ? await store.newest(uplink.name, name) : undefined
    if (theirs !== undefined) return memory.adopt(uplink, name, theirs)
    return memory.set(uplink, name, { copy, confirmedAt, unstored: stored === undefined })
  }

  /** Keeps what was there before, no matter how old, and raises the alarm once. */
  function refused(
    uplink: Uplink,
    name: string,
    before: Known | undefined,
    conflict: string,
    problem: string,
  ) {
    const key = fileKey(uplink, name)
    if (alarms.get(key) !== problem) deps.onConflict(uplink, name, conflict, problem)
    alarms.set(key, problem)
    const pausedUntil = monotonic() + Math.min(uplink.options.maxage, MAX_ABSENT_MS)
    return before && memory.set(uplink, name, { ...before, problem, pausedUntil })
  }

  const ageOf = (known: Known) => monotonic() - known.confirmedAt

  const answer = (uplink: Uplink, known: Known, askedAt?: number) =>
    knownCopy(known, { maxAge: uplink.options.maxage, now: monotonic(), askedAt })

  /** Whether a copy is served without waiting for a newer one, which is seen to if need be. */
  function isServed(uplink: Uplink, name: string, known: Known, maxAge: number): boolean {
    const age = ageOf(known)
    if (age <= maxAge || (known.pausedUntil ?? 0) > monotonic()) return true
    if (maxAge === 0 || age > maxAge + SERVED_STALE_MS) return false
    renewals.add(fileKey(uplink, name), () => renewBehind(uplink, name))
    return true
  }

  async function renewBehind(uplink: Uplink, name: string): Promise<void> {
    const known = memory.get(uplink, name)
    // Somebody has waited for it meanwhile.
    if (known !== undefined && ageOf(known) <= uplink.options.maxage) return
    try {
      await refresh(uplink, name, { cold: false })
    } catch (error) {
      logger.error({ err: error, crate: name }, 'index copy was not renewed')
    }
  }

  return {
    async read(uplink, name, maxAge = uplink.options.maxage) {
      if (memory.isAbsent(uplink, name)) return undefined
      const here = memory.get(uplink, name)
      const known = here ?? (await memory.load(uplink, name))
      const askedAt = monotonic()
      if (known === undefined) {
        const fetched = await refresh(uplink, name, { cold: true })
        const found = fetched && answer(uplink, fetched, askedAt)
        return found && { ...found, cold: true }
      }
      if (isServed(uplink, name, known, maxAge)) {
        const served = answer(uplink, known)
        return served && here === undefined ? { ...served, loaded: true } : served
      }
      const renewal = refresh(uplink, name, { cold: false })
      const renewed = await withinTime(renewal, MAX_WAIT_MS)
      return answer(uplink, renewed ?? known, askedAt)
    },

    ready(uplink, name) {
      if (memory.isAbsent(uplink, name)) return 'absent'
      const known = memory.get(uplink, name)
      return known && isServed(uplink, name, known, uplink.options.maxage) ? answer(uplink, known) : undefined
    },

    async peek(uplink, name) {
      const known = await memory.load(uplink, name)
      return known && answer(uplink, known)
    },

    async close() {
      // An uplink that does not answer must not hold up the end.
      await withinTime(Promise.all([renewals.close(), refreshing.settled()]), MAX_WAIT_MS)
    },
  }
}
