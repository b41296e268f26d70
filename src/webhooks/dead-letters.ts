import { buffer } from 'node:stream/consumers'
import type { ObjectStore } from '../host.ts'
import {
  DEAD_PREFIX,
  type Delivery,
  encodeDelivery,
  parseDeadKey,
  parseDelivery,
  pendingKey,
} from './delivery.ts'

/** Owns what was taken out of the dead letters: nobody lives there, so the next server that looks takes it over. */
const NOBODY = 'redelivered'

type Storage = Pick<ObjectStore, 'get' | 'put' | 'delete' | 'list'>

/** A delivery that was given up. */
export interface DeadLetter {
  readonly key: string
  /** Absent: what is stored is damaged. */
  readonly delivery?: Delivery
}

/** What was given up, the oldest day first. */
export async function* listDeadLetters(storage: Storage): AsyncGenerator<DeadLetter> {
  for await (const { key } of storage.list(DEAD_PREFIX)) {
    if (parseDeadKey(key) === undefined) continue
    const object = await storage.get(key)
    if (object === undefined) continue
    const delivery = parseDelivery(await buffer(object.body))
    yield { key, ...(delivery && { delivery }) }
  }
}

/** Makes a dead letter pending again, under its id and with all its attempts before it. */
export async function redeliver(
  storage: Storage,
  { key, delivery: { error: _, ...delivery } }: Required<DeadLetter>,
  now: Date,
): Promise<void> {
  const again = { ...delivery, attempts: 0, due: now.getTime() }
  await storage.put(pendingKey(NOBODY, again), encodeDelivery(again))
  await storage.delete(key)
}
