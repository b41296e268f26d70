import type { Logger } from '../host.ts'
import type { Delivery } from './delivery.ts'
import type { Outbox } from './outbox.ts'
import { renderPayload } from './payload.ts'
import type { Receiver } from './receiver.ts'
import { retryDelay } from './schedule.ts'
import { type Attempt, MAX_IN_FLIGHT } from './sender.ts'
import type { Waiting, WaitingRoom } from './waiting.ts'

/** The longest wait of a timer: what is due later is looked at again then. */
const MAX_TIMER_MS = 60 * 60 * 1000
/** When storage cannot even take a dead letter, the delivery is tried once more so many milliseconds later. */
const STORAGE_AWAY_MS = 60_000

/** How an attempt ended; `lost` is a delivery that could not even be stored, or one too many that a read caused. */
export type DeliveryOutcome = 'delivered' | 'failed' | 'dead' | 'lost'

/** Makes the attempts, each when it is due. */
export interface Courier {
  /** Something was added. */
  wake(): void
  /** Makes no further attempt; those that are being made have `graceMs` to end. */
  close(graceMs: number): Promise<void>
}

export interface CourierDeps {
  readonly receivers: ReadonlyMap<string, Receiver>
  readonly outbox: Pick<Outbox, 'keep' | 'forget' | 'bury'>
  readonly waiting: WaitingRoom
  readonly logger: Logger
  readonly onOutcome: (outcome: DeliveryOutcome) => void
  readonly now: () => Date
  readonly retryDelays: readonly number[]
}

export function createCourier(deps: CourierDeps): Courier {
  const { receivers, outbox, waiting, logger, onOutcome, now, retryDelays } = deps
  const inFlight = new Map<string, number>()
  const running = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  function wake(): void {
    if (isClosed) return
    // One reading of the clock: what came due between two would neither be sent nor get a timer.
    const at = now().getTime()
    for (const receiver of receivers.values()) {
      while ((inFlight.get(receiver.id) ?? 0) < MAX_IN_FLIGHT) {
        const next = waiting.nextDue(receiver.id, at)
        if (next === undefined) break
        start(receiver, next)
      }
    }
    clearTimeout(timer)
    // What is due by now and was not sent waits for others to end, and is woken by their end.
    const time = waiting.nextTime(at)
    if (time !== undefined) timer = setTimeout(wake, Math.min(time - at, MAX_TIMER_MS)).unref()
  }

  function start(receiver: Receiver, next: Waiting): void {
    count(receiver, 1)
    next.isSending = true
    const run = deliver(receiver, next).finally(() => {
      next.isSending = false
      count(receiver, -1)
      running.delete(run)
      wake()
    })
    running.add(run)
  }

  function count({ id }: Receiver, change: number): void {
    inFlight.set(id, (inFlight.get(id) ?? 0) + change)
  }

  async function deliver(receiver: Receiver, next: Waiting): Promise<void> {
    const { delivery } = next
    const attempt = await receiver.send(delivery.id, renderPayload(delivery.event))
    await next.stored
    if (attempt.kind === 'failed' && isClosed) return
    try {
      await settle(next, attempt)
    } catch (err) {
      logger.warn({ err, ...fieldsOf(delivery) }, 'webhooks: storage does not answer')
      next.delivery = {
        ...next.delivery,
        due: Math.max(next.delivery.due, now().getTime() + STORAGE_AWAY_MS),
      }
      if (attempt.kind === 'delivered') waiting.remove(delivery.id)
    }
  }

  async function settle(next: Waiting, attempt: Attempt): Promise<void> {
    const { delivery } = next
    if (attempt.kind === 'delivered') {
      onOutcome('delivered')
      await outbox.forget(delivery)
      return waiting.remove(delivery.id)
    }
    const { error, retryAfter, gone = false } = attempt
    const attempts = delivery.attempts + 1
    const delay = gone ? undefined : retryDelay({ attempts, retryAfter, random: Math.random() }, retryDelays)
    const failed = { ...delivery, attempts, error, due: now().getTime() + (delay ?? 0) }
    if (delay === undefined) return giveUp(failed)
    onOutcome('failed')
    next.delivery = failed
    logger.warn(
      { ...fieldsOf(failed), due: new Date(failed.due).toISOString() },
      'webhooks: not delivered yet',
    )
    await outbox.keep(failed)
  }

  async function giveUp(delivery: Delivery): Promise<void> {
    await outbox.bury(delivery)
    waiting.remove(delivery.id)
    onOutcome('dead')
    logger.error(
      fieldsOf(delivery),
      'webhooks: given up, `verdaccio-cargo webhooks redeliver` sends it again',
    )
  }

  return {
    wake,
    async close(graceMs) {
      isClosed = true
      clearTimeout(timer)
      await Promise.all([...receivers.values()].map((receiver) => receiver.close(graceMs)))
      await Promise.all(running)
    },
  }
}

/** What the log says of a delivery. */
function fieldsOf({ id, to, event: { kind, crate, version }, attempts, error }: Delivery) {
  return { webhook: { id, to, kind, crate, version, attempts, error } }
}
