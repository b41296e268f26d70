import type { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { CargoError } from '../../errors.ts'
import type { Logger } from '../../host.ts'
import type { IndexEntry } from '../../protocol/index-entry.ts'
import type { Uplink } from '../../uplinks/uplink.ts'
import type { Blobs } from '../blobs.ts'
import { createFilling, type Filling, type Pieces } from '../filling.ts'
import { createPlaces } from '../places.ts'
import { createTurns } from '../turns.ts'

/** A fetch that failed before anybody saw a byte is tried so often. */
const ATTEMPTS = 2
/** Each needs a MiB of memory at most, or a temporary file; a client over HTTP/2 asks for a hundred at once. */
const FILLS = { parallel: 256, waiting: 4_000, maxWaitMs: 20_000, what: 'crates on their way from uplinks' }
/**
 * Answers that begin, and pieces of 64 KiB that are sent, in one turn of the event loop. A turn takes in one new
 * connection: the shorter it is, the sooner the last of a crowd is heard.
 */
const PLACES = { beginning: 16, others: 4 }

/** A crate on its way in from an uplink. */
export interface CrateFetch {
  /** Bytes, if they are known yet: all of them are here, or the uplink announced them. */
  readonly size: number | undefined
  /** The bytes as they come; the last ones only when all have the checksum. To be called at once, or not at all. */
  open(): Readable
  /** The same, piece by piece. */
  pieces(): Pieces
  /** When it is stored, or never will be. */
  readonly ended: Promise<FetchEnd>
}

/** How a fetch ended. */
export type FetchEnd =
  | { readonly stored: true; readonly size: number }
  | { readonly stored: false; readonly reason: unknown }

/** Crate files of uplinks: each fetched once, whoever asks, checked while it comes, and stored. */
export interface CrateFetches {
  /**
   * Begins to fetch a crate, or joins who did; there is something to read when the promise resolves.
   * @throws {UplinkError | CargoError} when it cannot be had
   */
  fetch(uplink: Uplink, entry: IndexEntry): Promise<CrateFetch>
  /** Whether the crate is on its way. */
  isFetching(cksum: string): boolean
  /** Waits for the fetches that run. */
  close(): Promise<void>
}

export interface CrateFetchesDeps {
  readonly blobs: Blobs
  readonly logger: Logger
  /** Bytes. */
  readonly maxCrate: number
  /** Told of every crate file that does not have the checksum of its index line. */
  onMismatch(uplink: Uplink, entry: IndexEntry): void
}

interface Running {
  readonly filling: Filling
  readonly ended: Promise<FetchEnd>
  readonly announced: number | undefined
  size: number | undefined
}

interface Begun extends Omit<Running, 'ended'> {}

export function createCrateFetches({ blobs, logger, maxCrate, onMismatch }: CrateFetchesDeps): CrateFetches {
  const fills = createTurns(FILLS)
  const places = createPlaces(PLACES)
  const running = new Map<string, Promise<Running>>()
  const keeping = new Set<Promise<FetchEnd>>()

  async function begin(uplink: Uplink, entry: IndexEntry): Promise<Begun> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await beginOnce(uplink, entry)
      } catch (error) {
        const isFinal = error instanceof CargoError && (error.code === 'not_found' || !uplink.state().asked)
        if (attempt === ATTEMPTS || isFinal) throw error
      }
    }
  }

  async function beginOnce(uplink: Uplink, entry: IndexEntry): Promise<Begun> {
    const { cksum } = entry
    const answer = await uplink.crate({ name: entry.name, version: entry.vers, cksum })
    const { body, size: announced } = answer
    const filling = createFilling(body, { sha256: cksum, maxBytes: maxCrate, announced, places })
    const started: Begun = { filling, announced, size: undefined }
    filling.filled.then(
      ({ size }) => {
        started.size = size
      },
      (error) => {
        if (error instanceof CargoError && error.code === 'checksum_mismatch') onMismatch(uplink, entry)
      },
    )
    try {
      await filling.begun
      return started
    } catch (error) {
      filling.release()
      throw error
    }
  }

  /** Stores what comes, then lets go of it: those who come later read what is stored. */
  async function keep(uplink: Uplink, entry: IndexEntry, { filling }: Begun): Promise<FetchEnd> {
    try {
      const filled = await filling.filled
      if (!uplink.options.cache) return { stored: false, reason: notKept(uplink) }
      await blobs.keep(entry.cksum, filled.content())
      return { stored: true, size: filled.size }
    } catch (error) {
      // Readers learn of a failed fetch by themselves; a full disk is no reason to fail them.
      const crate = `${entry.name}@${entry.vers}`
      logger.warn({ err: error, uplink: uplink.name, crate }, 'crate of an uplink was not stored')
      return { stored: false, reason: error }
    } finally {
      running.delete(entry.cksum)
      // Whoever joined until now is about to open the filling; nobody else will.
      await turn()
      filling.release()
    }
  }

  async function start(uplink: Uplink, entry: IndexEntry): Promise<Running> {
    const begun = Promise.withResolvers<Begun>()
    const kept = fills.run(async () => {
      const one = await begin(uplink, entry)
      begun.resolve(one)
      return keep(uplink, entry, one)
    })
    kept.catch(begun.reject)
    try {
      const one = await begun.promise
      const ended: Promise<FetchEnd> = kept.finally(() => keeping.delete(ended))
      keeping.add(ended)
      return Object.assign(one, { ended })
    } catch (error) {
      running.delete(entry.cksum)
      throw error
    }
  }

  function startOnce(uplink: Uplink, entry: IndexEntry): Promise<Running> {
    const starting = start(uplink, entry)
    running.set(entry.cksum, starting)
    return starting
  }

  return {
    async fetch(uplink, entry) {
      const one = await (running.get(entry.cksum) ?? startOnce(uplink, entry))
      const { filling } = one
      filling.hold()
      await places.take(true)
      // Who asked is about to open it, or does not want to.
      void turn().then(() => filling.release())
      return {
        size: one.size ?? one.announced,
        open: filling.reader,
        pieces: filling.pieces,
        ended: one.ended,
      }
    },
    isFetching: (cksum) => running.has(cksum),
    async close() {
      await Promise.allSettled([...keeping])
    },
  }
}

function notKept({ name }: Uplink): CargoError {
  return new CargoError('unavailable', `crate files of uplink \`${name}\` are not kept: \`cache\` is false`)
}
