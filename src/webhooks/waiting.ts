import type { Delivery } from './delivery.ts'

/** A delivery that waits in memory for its time. */
export interface Waiting {
  delivery: Delivery
  /** Settles when storage has its present state; never fails. */
  stored: Promise<void>
  isSending: boolean
}

/** The deliveries in memory: so many, and the others are in storage only. */
export interface WaitingRoom {
  has(id: string): boolean
  hasRoom(): boolean
  add(delivery: Delivery, stored: Promise<void>): void
  remove(id: string): void
  /** The delivery to a receiver that is due the longest, if one is. */
  nextDue(receiver: string, now: number): Waiting | undefined
  /** When the first of those is due that are due later than `now`, in milliseconds since 1970. */
  nextTime(now: number): number | undefined
}

export function createWaitingRoom(capacity: number): WaitingRoom {
  const all = new Map<string, Waiting>()

  function earliest(fits: (waiting: Waiting) => boolean): Waiting | undefined {
    let first: Waiting | undefined
    for (const waiting of all.values()) {
      if (waiting.isSending || !fits(waiting)) continue
      if (first === undefined || waiting.delivery.due < first.delivery.due) first = waiting
    }
    return first
  }

  return {
    has: (id) => all.has(id),
    hasRoom: () => all.size < capacity,
    add: (delivery, stored) => void all.set(delivery.id, { delivery, stored, isSending: false }),
    remove: (id) => void all.delete(id),
    nextDue: (receiver, now) =>
      earliest(({ delivery }) => delivery.receiver === receiver && delivery.due <= now),
    nextTime: (now) => earliest(({ delivery }) => delivery.due > now)?.delivery.due,
  }
}
