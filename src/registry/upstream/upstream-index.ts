import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { Logger, MetadataCache } from '../../host.ts'
import { IndexConflictError, isGone, nextCopy, type UpstreamCopy } from '../../protocol/upstream-copy.ts'
import type { Uplink } from '../../uplinks/uplink.ts'
import { singleFlight } from '../single-flight.ts'
import type { CopyStore } from './copy-store.ts'

/** After `maxage`, for so long a copy is served at once and looked after behind the answer. */
const SERVED_STALE_MS = 10 * 60_000
/** An older one waits so long for a new one, then it is served all the same. */
const MAX_WAIT_MS = 3_000
/** A crate that is not there is looked for again after this. */
const MAX_ABSENT_MS = 30_000
/** After a failure a kept copy is served for so long before the uplink is asked again. */
const PAUSE_MS = 5_000
/** Another replica that fetches a file is waited for so long. */
const LOCK_MS = 5_000
const LOCK_POLL_MS = 50
/** Memory for copies; the parsed form takes about five times the bytes. */
const MAX_MEMORY = 192 * 1024 * 1024
const BYTES_PER_BYTE = 6
const MAX_ABSENT = 50_000

/** An uplink's index file as far as it is known. */
export interface KnownCopy {
  readonly copy: UpstreamCopy
  /** Milliseconds since the uplink last confirmed it. */
  readonly age: number
  /** It is older than `maxage`. */
  readonly stale: boolean
  /** This request waited for the uplink. */
  readonly asked: boolean
  /** Why there is no newer one. */
  readonly problem?: string
}

/** The index files of uplinks: fetched once, checked, kept, and served while the uplink is away. */
export interface UpstreamIndex {
  /**
   * The index file of a crate; `undefined` when the uplink says that there is none.
   * @param maxAge milliseconds; default the uplink's `maxage`
   * @throws {UplinkError | IndexConflictError} when there is neither a copy nor an answer that can be believed
   */
  read(uplink: Uplink, name: string, maxAge?: number): Promise<KnownCopy | undefined>
  /** What is kept, without asking anybody. */
  peek(uplink: Uplink, name: string): Promise<KnownCopy | undefined>
  close(): Promise<void>
}

export interface UpstreamIndexDeps {
  readonly store: CopyStore
  /** For its lock, if it has one. */
  readonly cache: Pick<MetadataCache, 'lock'>
  readonly logger: Logger
  readonly now: () => Date
  readonly monotonic: () => number
  /** Told of every new copy. */
  onCopy(uplink: Uplink, name: string, copy: UpstreamCopy): void
  /** Told once of every body that was not believed, and of crates that are gone. */
  onConflict(uplink: Uplink, name: string, conflict: string, detail: string): void
}

interface Known {
  readonly copy: UpstreamCopy
  readonly confirmedAt: number
  readonly problem?: string
  /** Not before this is the uplink asked again. */
  readonly pausedUntil?: number
}

export function createUpstreamIndex(deps: UpstreamIndexDeps): UpstreamIndex {
  const { store, cache, logger, now, monotonic } = deps
  const memory = new LRUCache<string, Known>({
    maxSize: MAX_MEMORY,
    sizeCalculation: ({ copy }) => BYTES_PER_BYTE * copy.body.length + 1000,
  })
  const absentUntil = new LRUCache<string, number>({ max: MAX_ABSENT })
  const loading = singleFlight<Known | undefined>()
  const refreshing = singleFlight<Known | undefined>()

  async function load(uplink: Uplink, name: string): Promise<Known | undefined> {
    const key = keyOf(uplink, name)
    return (
      memory.get(key) ??
      loading.run(key, async () => {
        const copy = await store.newest(uplink.name, name)
        return copy && adopt(uplink, name, copy)
      })
    )
  }

  /** Takes over what is in the store; how old it is only a clock that may jump can tell. */
  function adopt(uplink: Uplink, name: string, copy: UpstreamCopy): Known {
    const age = Math.max(0, now().getTime() - Date.parse(copy.fetchedAt))
    return remember(uplink, name, { copy, confirmedAt: monotonic() - age })
  }

  function remember(uplink: Uplink, name: string, known: Known): Known {
    const key = keyOf(uplink, name)
    memory.set(key, known)
    absentUntil.delete(key)
    return known
  }

  /** Asks the uplink once, whoever wants to know; with a copy it never fails. */
  function refresh(uplink: Uplink, name: string): Promise<Known | undefined> {
    return refreshing.run(keyOf(uplink, name), async () => {
      const before = await load(uplink, name)
      if (before === undefined) return locked(uplink, name)
      try {
        return await ask(uplink, name, before)
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error)
        logger.warn({ err: error, uplink: uplink.name, crate: name }, 'index copy was not renewed')
        return remember(uplink, name, { ...before, problem, pausedUntil: monotonic() + PAUSE_MS })
      }
    })
  }

  /** A cold file: of several replicas one asks, the others look for what it stores. */
  async function locked(uplink: Uplink, name: string): Promise<Known | undefined> {
    const release = await cache.lock?.(`upstream:${keyOf(uplink, name)}`, LOCK_MS)
    if (cache.lock !== undefined && release === undefined) {
      for (const until = monotonic() + LOCK_MS; monotonic() < until; await sleep(LOCK_POLL_MS)) {
        const copy = await store.newest(uplink.name, name)
        if (copy !== undefined) return adopt(uplink, name, copy)
      }
    }
    try {
      return await ask(uplink, name, undefined)
    } finally {
      await release?.()
    }
  }

  async function ask(uplink: Uplink, name: string, known: Known | undefined): Promise<Known | undefined> {
    const newer = known && (await store.newer(uplink.name, name, known.copy))
    const before = newer === undefined ? known : adopt(uplink, name, newer)
    if (newer !== undefined && before !== undefined && isFresh(uplink, before)) return before
    const answer = await uplink.index(name, before?.copy)
    const confirmedAt = monotonic()
    switch (answer.kind) {
      case 'absent':
        if (before === undefined) {
          absentUntil.set(keyOf(uplink, name), confirmedAt + Math.min(uplink.options.maxage, MAX_ABSENT_MS))
          return undefined
        }
        if (isGone(before.copy)) return remember(uplink, name, { copy: before.copy, confirmedAt })
        return refused(uplink, name, before, 'crate_gone', `crate \`${name}\` is gone`)
      case 'unchanged':
        return before && remember(uplink, name, { copy: before.copy, confirmedAt })
      case 'changed': {
        const { kind: _, ...fetched } = answer
        if (before?.copy.body.equals(fetched.body)) {
          return remember(uplink, name, {
            copy: { ...before.copy, ...fetched, body: before.copy.body },
            confirmedAt,
          })
        }
        return take(uplink, name, before, fetched)
      }
    }
  }

  async function take(
    uplink: Uplink,
    name: string,
    before: Known | undefined,
    fetched: Parameters<typeof nextCopy>[2],
  ): Promise<Known | undefined> {
    let copy: UpstreamCopy
    try {
      copy = nextCopy(name, before?.copy, fetched, now())
    } catch (error) {
      if (!(error instanceof IndexConflictError)) throw error
      const known = refused(uplink, name, before, error.conflict, error.message)
      if (known === undefined) throw error
      return known
    }
    const stored = await store.add(uplink.name, name, copy).catch((error) => {
      // The disk may be full: what came is served all the same.
      logger.error({ err: error, uplink: uplink.name, crate: name }, 'index copy was not stored')
      return true
    })
    if (!stored) {
      // Another replica was faster: its copy is what the next one has to follow.
      const theirs = await store.newest(uplink.name, name)
      if (theirs !== undefined) return adopt(uplink, name, theirs)
    }
    deps.onCopy(uplink, name, copy)
    return remember(uplink, name, { copy, confirmedAt: monotonic() })
  }

  /** Keeps what was there before, and raises the alarm once. */
  function refused(
    uplink: Uplink,
    name: string,
    before: Known | undefined,
    conflict: string,
    detail: string,
  ) {
    if (before?.problem !== detail) deps.onConflict(uplink, name, conflict, detail)
    return before && remember(uplink, name, { ...before, confirmedAt: monotonic(), problem: detail })
  }

  const ageOf = (known: Known) => monotonic() - known.confirmedAt
  const isFresh = (uplink: Uplink, known: Known) => ageOf(known) <= uplink.options.maxage

  function answer(uplink: Uplink, known: Known, asked: boolean): KnownCopy | undefined {
    const { copy, problem } = known
    if (isGone(copy)) return undefined
    const stale = !isFresh(uplink, known)
    return { copy, age: ageOf(known), stale, asked, ...(problem !== undefined && { problem }) }
  }

  return {
    async read(uplink, name, maxAge = uplink.options.maxage) {
      const known = await load(uplink, name)
      if (known === undefined) {
        if ((absentUntil.get(keyOf(uplink, name)) ?? 0) > monotonic()) return undefined
        const fetched = await refresh(uplink, name)
        return fetched && answer(uplink, fetched, true)
      }
      if (ageOf(known) <= maxAge || (known.pausedUntil ?? 0) > monotonic())
        return answer(uplink, known, false)
      const renewal = refresh(uplink, name)
      if (maxAge > 0 && ageOf(known) <= maxAge + SERVED_STALE_MS) {
        renewal.catch((error) => logger.error({ err: error, crate: name }, 'index copy was not renewed'))
        return answer(uplink, known, false)
      }
      const renewed = await withinTime(renewal, MAX_WAIT_MS)
      return answer(uplink, renewed ?? known, true)
    },

    async peek(uplink, name) {
      const known = await load(uplink, name)
      return known && answer(uplink, known, false)
    },

    async close() {
      await refreshing.settled()
    },
  }
}

function keyOf(uplink: Uplink, name: string): string {
  return `${uplink.name}/${name.toLowerCase()}`
}

async function withinTime<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const late = new AbortController()
  const timer = sleep(ms, undefined, { signal: late.signal }).catch(() => undefined)
  try {
    return await Promise.race([promise, timer])
  } finally {
    late.abort()
  }
}
