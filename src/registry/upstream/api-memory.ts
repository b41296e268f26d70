import { LRUCache } from 'lru-cache'
import { CargoError } from '../../errors.ts'
import type { Logger } from '../../host.ts'
import type { Uplink } from '../../uplinks/uplink.ts'
import { UplinkError } from '../../uplinks/uplink-error.ts'
import { singleFlight } from '../single-flight.ts'
import { withinTime } from '../within-time.ts'

/** For so long nobody asks again. */
const FRESH_MS = 5 * 60_000
/** An answer is not worth waiting longer for it. */
const PATIENCE_MS = 3_000
/** An API that failed is left alone for so long, unless it says for how long. */
const PAUSE_MS = 30_000
/** Bytes. */
const MAX_KEPT = 32 * 1024 * 1024
/** An entry takes some room, even one that says that there is nothing. */
const ENTRY_BYTES = 512

/** What the web APIs of uplinks said lately, about one subject. */
export interface ApiMemory<T> {
  /**
   * What the uplink says of a crate: at most a few minutes old, or older while it cannot say. `undefined` when it says
   * nothing, or nothing within three seconds; never a failure. With `ask: false` no uplink is asked.
   */
  recall(uplink: Uplink, name: string, options?: { readonly ask: boolean }): Promise<T | undefined>
  /** Waits for the questions that are being asked. */
  settled(): Promise<void>
}

export interface ApiMemoryDeps<T> {
  ask(uplink: Uplink, name: string): Promise<T | undefined>
  /** Bytes. */
  sizeOf(answer: T): number
  readonly logger: Logger
  readonly monotonic: () => number
}

interface Kept<T> {
  readonly answer: T | undefined
  readonly at: number
}

export function createApiMemory<T>({ ask, sizeOf, logger, monotonic }: ApiMemoryDeps<T>): ApiMemory<T> {
  const memory = new LRUCache<string, Kept<T>>({
    maxSize: MAX_KEPT,
    sizeCalculation: ({ answer }) => ENTRY_BYTES + (answer === undefined ? 0 : sizeOf(answer)),
  })
  const pausedUntil = new Map<string, number>()
  const flights = singleFlight<void>()

  async function renew(uplink: Uplink, name: string, key: string): Promise<void> {
    try {
      const answer = await ask(uplink, name)
      memory.set(key, { answer, at: monotonic() })
    } catch (error) {
      logger.warn({ err: error, uplink: uplink.name }, 'uplink was not asked about crates')
      // An answer that cannot be used is one; all others say something of the API as a whole.
      if (error instanceof UplinkError && error.fault === 'foreign')
        memory.set(key, { answer: memory.get(key)?.answer, at: monotonic() })
      else pausedUntil.set(uplink.name, monotonic() + pauseAfter(error))
    }
  }

  return {
    async recall(uplink, name, options = { ask: true }) {
      const key = `${uplink.name}/${name}`
      const kept = memory.get(key)
      const isFresh = kept !== undefined && monotonic() - kept.at < FRESH_MS
      const isPaused = monotonic() < (pausedUntil.get(uplink.name) ?? Number.NEGATIVE_INFINITY)
      if (!isFresh && !isPaused && options.ask && uplink.state().asked)
        await withinTime(
          flights.run(key, () => renew(uplink, name, key)),
          PATIENCE_MS,
        )
      return (memory.get(key) ?? kept)?.answer
    },
    settled: () => flights.settled(),
  }
}

function pauseAfter(error: unknown): number {
  const seconds = error instanceof CargoError ? error.retryAfter : undefined
  return seconds === undefined ? PAUSE_MS : 1000 * seconds
}
