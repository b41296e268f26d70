import type { CargoEvent, Logger, ObjectStore } from '../host.ts'
import type { Options } from '../options.ts'
import { createCourier, type DeliveryOutcome } from './courier.ts'
import { createMessageId, type Delivery } from './delivery.ts'
import { createOutbox } from './outbox.ts'
import { createReceiver } from './receiver.ts'
import { RETRY_DELAYS } from './schedule.ts'
import { createWaitingRoom } from './waiting.ts'

/** Deliveries in memory, about a kilobyte each. */
const MAX_IN_MEMORY = 2_000
/** A replica shows so often that it lives, and looks for what dead ones left. */
const BEAT_MS = 10_000
const TAKE_OVER_MS = 30_000
/** An answer waits for its pending deliveries at most so long. */
const KEEP_WAIT_MS = 1
/** At a stop, what is being sent has so long to arrive; the rest goes on elsewhere or after the next start. */
const GRACE_MS = 2_000
/** Reads cause the others, which are therefore never more than fit into memory. */
const CHANGES: readonly CargoEvent['kind'][] = ['publish', 'yank', 'unyank', 'owners', 'remove']

/** Tells receivers of events, by signed POSTs that are tried again for about a day; each at least once. */
export interface Webhooks {
  /** Takes note of an event; returns at once and never fails the caller. */
  note(event: CargoEvent): void
  /** Waits until storage has what was noted, at most a millisecond. */
  kept(): Promise<void>
  close(): Promise<void>
}

/** When what is done; the defaults are those of a server. */
export interface WebhookTiming {
  /** Milliseconds between attempts. */
  readonly retryDelays?: readonly number[]
  readonly beatMs?: number
  readonly takeOverMs?: number
  readonly maxInMemory?: number
}

export interface WebhookDeps {
  readonly webhooks: Options['webhooks']
  readonly storage: Pick<ObjectStore, 'get' | 'stat' | 'put' | 'delete' | 'list'>
  readonly logger: Logger
  readonly onOutcome: (outcome: DeliveryOutcome) => void
  readonly now: () => Date
  readonly timing?: WebhookTiming
}

/**
 * Sends what is noted, and what it and dead replicas on the same store left unsent.
 * @throws {OptionsError} when a `ca` is no certificate
 */
export function createWebhooks(deps: WebhookDeps): Webhooks {
  const { storage, logger, onOutcome, now, timing = {} } = deps
  if (deps.webhooks.length === 0) return { note() {}, async kept() {}, async close() {} }
  const receivers = new Map(
    deps.webhooks.map((options, n) => createReceiver(options, n, now)).map((one) => [one.id, one]),
  )
  const takeOverMs = timing.takeOverMs ?? TAKE_OVER_MS
  const isKnown = (receiver: string) => receivers.has(receiver)
  const outbox = createOutbox({ storage, logger, now, isKnown, takeOverMs })
  const waiting = createWaitingRoom(timing.maxInMemory ?? MAX_IN_MEMORY)
  const courier = createCourier({
    ...{ receivers, outbox, waiting, logger, onOutcome, now },
    retryDelays: timing.retryDelays ?? RETRY_DELAYS,
  })
  /** What is on its way into storage. */
  const storing = new Set<Promise<void>>()
  /** Whether storage has deliveries of ours that had no room in memory. */
  let hasMore = false
  let isClosed = false
  let timer: NodeJS.Timeout | undefined
  const beatMs = timing.beatMs ?? BEAT_MS
  // Others take what has an owner who is not known to live: so this comes before the first delivery.
  const firstBeat = outbox.beat().catch(warn)
  const beats = setInterval(() => void outbox.beat().catch(warn), beatMs).unref()
  let round = firstBeat.then(makeRound)

  function warn(err: unknown): void {
    logger.warn({ err }, 'webhooks: storage does not answer')
  }

  async function makeRound(): Promise<void> {
    try {
      if (hasMore) await fill(outbox.own(waiting.has), (more) => (hasMore = more))
      await fill(outbox.adopt(), () => {})
    } catch (error) {
      warn(error)
    }
    if (isClosed) return
    timer = setTimeout(() => (round = makeRound()), beatMs).unref()
  }

  /** Takes deliveries into memory while there is room; tells whether some were left. */
  async function fill(deliveries: AsyncIterable<Delivery>, tell: (isMore: boolean) => void): Promise<void> {
    if (!waiting.hasRoom()) return
    for await (const delivery of deliveries) {
      if (isClosed) return
      waiting.add(delivery, Promise.resolve())
      courier.wake()
      if (!waiting.hasRoom()) return tell(true)
    }
    tell(false)
  }

  function store(delivery: Delivery, isInMemory: boolean): Promise<void> {
    const stored: Promise<void> = firstBeat
      .then(() => outbox.keep(delivery))
      .catch((err: unknown) => {
        const { id, event } = delivery
        logger.error({ err, id, kind: event.kind, crate: event.crate }, 'webhooks: a delivery is not stored')
        if (!isInMemory) onOutcome('lost')
      })
      .finally(() => storing.delete(stored))
    storing.add(stored)
    return stored
  }

  return {
    note(event) {
      for (const { id: receiver, to, wants } of receivers.values()) {
        if (!wants(event)) continue
        const isInMemory = waiting.hasRoom()
        if (!isInMemory && !CHANGES.includes(event.kind)) {
          onOutcome('lost')
          continue
        }
        const at = now()
        const delivery = { id: createMessageId(at), receiver, to, event, attempts: 0, due: at.getTime() }
        const stored = store(delivery, isInMemory)
        if (isInMemory) waiting.add(delivery, stored)
        else hasMore = true
      }
      courier.wake()
    },

    async kept() {
      if (storing.size === 0) return
      let late: NodeJS.Timeout | undefined
      const timeout = new Promise<void>((resolve) => {
        late = setTimeout(resolve, KEEP_WAIT_MS)
      })
      await Promise.race([Promise.all(storing), timeout])
      clearTimeout(late)
    },

    async close() {
      isClosed = true
      clearTimeout(timer)
      clearInterval(beats)
      await Promise.all([round, ...storing])
      await courier.close(GRACE_MS)
      await outbox.leave().catch(warn)
    },
  }
}
