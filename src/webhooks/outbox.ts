import { randomUUID } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import type { Logger, ObjectStore } from '../host.ts'
import {
  ALIVE_PREFIX,
  aliveKey,
  type Delivery,
  deadKey,
  encodeDelivery,
  ownPrefix,
  PENDING_PREFIX,
  parseDelivery,
  parsePendingKey,
  pendingKey,
  timeOfMessage,
} from './delivery.ts'

/** What a crash of the process may not take away, and a power cut may: the change log has the truth. */
const PENDING = { durable: false } as const
/** A delivery to a receiver that is not ours is left to others for a day: by then one that is in use was tried. */
const ORPHAN_MS = 24 * 60 * 60 * 1000

/** The stored deliveries of one replica, beside those of others that share the store. */
export interface Outbox {
  /** Says that this replica lives: what it keeps is its own. */
  beat(): Promise<void>
  keep(delivery: Delivery): Promise<void>
  /** Forgets a delivery that arrived. */
  forget(delivery: Delivery): Promise<void>
  /** Moves a delivery to the dead letters. */
  bury(delivery: Delivery): Promise<void>
  /** The deliveries that are kept here, the oldest first for each receiver; not those whose ids are `known`. */
  own(known: (id: string) => boolean): AsyncIterable<Delivery>
  /** Takes over, one by one, what replicas left that live no more. */
  adopt(): AsyncIterable<Delivery>
  /** Leaves everything to other replicas at once. */
  leave(): Promise<void>
}

/** The replicas that live. */
interface Living {
  has(owner: string): Promise<boolean>
  /** Where those said that they live who do not any more. */
  readonly dead: readonly string[]
}

export interface OutboxDeps {
  readonly storage: Pick<ObjectStore, 'get' | 'stat' | 'put' | 'delete' | 'list'>
  readonly logger: Logger
  readonly now: () => Date
  /** Whether a receiver is one of ours. */
  readonly isKnown: (receiver: string) => boolean
  /** A replica that was not heard of for so many milliseconds is taken for dead. */
  readonly takeOverMs: number
}

export function createOutbox({ storage, logger, now, isKnown, takeOverMs }: OutboxDeps): Outbox {
  const self = randomUUID()

  async function read(key: string): Promise<Delivery | undefined> {
    const object = await storage.get(key)
    if (object === undefined) return undefined
    const delivery = parseDelivery(await buffer(object.body))
    if (delivery !== undefined) return delivery
    logger.error({ key }, 'integrity: a pending webhook delivery is damaged, and given up')
    await storage.delete(key)
    return undefined
  }

  const keep = async (delivery: Delivery) => {
    await storage.put(pendingKey(self, delivery), encodeDelivery(delivery), PENDING)
  }

  const bury = async (delivery: Delivery, pending: string) => {
    await storage.put(deadKey(now(), delivery.id), encodeDelivery(delivery))
    await storage.delete(pending)
  }

  /** Which replicas live, by the clock of the store: that of this process may differ from another's. */
  async function whoLives(): Promise<Living | undefined> {
    const heard = new Map<string, number>()
    for await (const { key, modified } of storage.list(ALIVE_PREFIX)) heard.set(key, modified.getTime())
    const present = heard.get(aliveKey(self))
    if (present === undefined) return undefined
    const isRecent = (time: number | undefined) => time !== undefined && present - time < takeOverMs
    const known = new Map<string, boolean>()
    return {
      dead: [...heard].filter(([, time]) => !isRecent(time)).map(([key]) => key),
      async has(owner) {
        const key = aliveKey(owner)
        // One that came after the list was made is not in it.
        const is = known.get(key) ?? isRecent(heard.get(key) ?? (await storage.stat(key))?.modified.getTime())
        known.set(key, is)
        return is
      },
    }
  }

  async function* adopt(): AsyncGenerator<Delivery> {
    const living = await whoLives()
    if (living === undefined) return
    for await (const { key } of storage.list(PENDING_PREFIX)) {
      const place = parsePendingKey(key)
      if (place === undefined || place.owner === self || (await living.has(place.owner))) continue
      const isOrphan = now().getTime() - timeOfMessage(place.id) > ORPHAN_MS
      if (!isKnown(place.receiver) && !isOrphan) continue
      const delivery = await read(key)
      if (delivery === undefined) continue
      if (!isKnown(place.receiver)) {
        await bury({ ...delivery, error: 'is no webhook of the options any more' }, key)
        continue
      }
      await keep(delivery)
      await storage.delete(key)
      yield delivery
    }
    for (const key of living.dead) await storage.delete(key)
  }

  return {
    async beat() {
      await storage.put(aliveKey(self), Buffer.from('{}'), PENDING)
    },
    keep,
    forget: (delivery) => storage.delete(pendingKey(self, delivery)),
    bury: (delivery) => bury(delivery, pendingKey(self, delivery)),
    async *own(known) {
      for await (const { key } of storage.list(ownPrefix(self))) {
        const place = parsePendingKey(key)
        if (place === undefined || known(place.id)) continue
        const delivery = await read(key)
        if (delivery !== undefined) yield delivery
      }
    },
    adopt,
    leave: () => storage.delete(aliveKey(self)),
  }
}
