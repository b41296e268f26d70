import { createHash, randomBytes } from 'node:crypto'
import { type CargoEvent, EVENT_KINDS } from '../host.ts'

/** An event on its way to one receiver, or one that never arrived. */
export interface Delivery {
  /** The `webhook-id`, the same at every attempt; begins with the time of the event. */
  readonly id: string
  /** The receiver, by {@link receiverOf}. */
  readonly receiver: string
  /** The origin of the receiver's URL, for people. */
  readonly to: string
  readonly event: CargoEvent
  /** Attempts that failed. */
  readonly attempts: number
  /** When the next attempt is due, in milliseconds since 1970. */
  readonly due: number
  /** Why the last attempt failed. */
  readonly error?: string
}

/** Where each replica says that it lives. */
export const ALIVE_PREFIX = 'webhooks/alive/'
export const PENDING_PREFIX = 'webhooks/pending/'
export const DEAD_PREFIX = 'webhooks/dead/'

/** Hexadecimal digits of the time in an id: enough for some thousand years. */
const TIME_DIGITS = 12

/** A name of a receiver that does not change when others come and go, and tells nothing of its URL. */
export function receiverOf(url: string): string {
  return createHash('sha256').update(new URL(url).href).digest('hex').slice(0, 16)
}

/** An id for a message of this time: ids sort by time. */
export function createMessageId(at: Date): string {
  const time = at.getTime().toString(16).padStart(TIME_DIGITS, '0')
  return `msg_${time}${randomBytes(10).toString('hex')}`
}

/** When the event of a message was, in milliseconds since 1970. */
export function timeOfMessage(id: string): number {
  return Number.parseInt(id.slice('msg_'.length, 'msg_'.length + TIME_DIGITS), 16)
}

export function aliveKey(owner: string): string {
  return `${ALIVE_PREFIX}${owner}.json`
}

/** Where a delivery waits that the replica `owner` looks after. */
export function pendingKey(owner: string, { receiver, id }: Pick<Delivery, 'receiver' | 'id'>): string {
  return `${ownPrefix(owner)}${receiver}+${id}.json`
}

/** How the keys of all that a replica looks after begin. In one folder: a folder for each would stay behind, empty. */
export function ownPrefix(owner: string): string {
  return `${PENDING_PREFIX}${owner}+`
}

/** Where a delivery is kept that was given up on that day. */
export function deadKey(day: Date, id: string): string {
  return `${DEAD_PREFIX}${day.toISOString().slice(0, 10)}/${id}.json`
}

/** What a key of a pending delivery says; `undefined` for any other key. */
export function parsePendingKey(key: string) {
  const [, owner, receiver, id] =
    /^webhooks\/pending\/([^/+]+)\+([^/+]+)\+(msg_[0-9a-f]+)\.json$/.exec(key) ?? []
  if (owner === undefined || receiver === undefined || id === undefined) return undefined
  return { owner, receiver, id }
}

/** The message of a key of a dead letter; `undefined` for any other key. */
export function parseDeadKey(key: string): string | undefined {
  return /^webhooks\/dead\/[^/]+\/(msg_[0-9a-f]+)\.json$/.exec(key)?.[1]
}

export function encodeDelivery(delivery: Delivery): Buffer {
  return Buffer.from(JSON.stringify({ schema: 1, ...delivery, due: new Date(delivery.due).toISOString() }))
}

/** The delivery in stored bytes; `undefined` when they are none, as a power cut may leave them. */
export function parseDelivery(bytes: Buffer): Delivery | undefined {
  const { id, receiver, to, event, attempts, due, error } = parseObject(bytes)
  const time = Date.parse(String(due))
  if (typeof id !== 'string' || typeof receiver !== 'string' || typeof to !== 'string') return undefined
  if (!isEvent(event) || typeof attempts !== 'number' || Number.isNaN(time)) return undefined
  return { id, receiver, to, event, attempts, due: time, ...(typeof error === 'string' && { error }) }
}

function parseObject(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function isEvent(value: unknown): value is CargoEvent {
  if (typeof value !== 'object' || value === null) return false
  const { kind, crate, at } = value as Partial<CargoEvent>
  return EVENT_KINDS.some((known) => known === kind) && typeof crate === 'string' && typeof at === 'string'
}
