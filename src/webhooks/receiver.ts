import type { CargoEvent } from '../host.ts'
import { crateMatcher } from '../name-glob.ts'
import type { WebhookOptions } from '../options.ts'
import { receiverOf } from './delivery.ts'
import { createSender, type Sender } from './sender.ts'

/** Somebody who is told of some events. */
export interface Receiver extends Sender {
  readonly id: string
  /** The origin of its URL: all that is told of it. */
  readonly to: string
  wants(event: CargoEvent): boolean
}

/**
 * The receiver of the options at `webhooks.<n>`.
 * @throws {OptionsError} when `ca` is no certificate
 */
export function createReceiver(options: WebhookOptions, n: number, now: () => Date): Receiver {
  const { url, events, crates } = options
  const isOfCrate = crates === undefined ? () => true : crateMatcher(crates)
  return {
    id: receiverOf(url),
    to: new URL(url).origin,
    wants: ({ kind, crate }) => events.includes(kind) && isOfCrate(crate),
    ...createSender(options, `webhooks.${n}`, now),
  }
}
