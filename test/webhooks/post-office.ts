import type { CargoEvent, Logger, ObjectStore } from '../../src/host.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { type OptionsInput, parseOptions } from '../../src/options.ts'
import { createWebhooks, type WebhookTiming } from '../../src/webhooks/webhooks.ts'
import { keysOf } from '../support/watched-store.ts'
import { SECRET } from '../support/webhook-receiver.ts'

type Hook = NonNullable<OptionsInput['webhooks']>[number]

/** A day in a second. */
export const FAST: WebhookTiming = { retryDelays: [20, 40, 80], beatMs: 50, takeOverMs: 300 }

export const EVENT: CargoEvent = {
  kind: 'publish',
  crate: 'foo',
  version: '1.0.0',
  by: 'ann',
  at: '2026-01-02T03:04:05.000Z',
}

export interface PostOfficeSpec {
  readonly storage?: ObjectStore
  readonly timing?: WebhookTiming
  readonly now?: () => Date
}

/** Webhooks with all that they said. */
export function openPostOffice(
  context: { after(done: () => Promise<void>): void },
  hooks: readonly (Partial<Hook> & { readonly url: string })[],
  { storage = memoryStorage(), timing = FAST, now = () => new Date() }: PostOfficeSpec = {},
) {
  const outcomes: string[] = []
  const log: { readonly level: string; readonly message: string; readonly fields: object }[] = []
  const say = (level: string) => (fields: object, message: string) =>
    void log.push({ level, message, fields })
  const logger: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
  const webhooks = createWebhooks({
    webhooks: parseOptions({ webhooks: hooks.map((hook) => ({ secret: SECRET, ...hook })) }).webhooks,
    ...{ storage, logger, timing },
    onOutcome: (outcome) => void outcomes.push(outcome),
    now,
  })
  let closing: Promise<void> | undefined
  const close = () => (closing ??= webhooks.close())
  context.after(close)
  return {
    ...{ storage, outcomes, log, close },
    note: (event: Partial<CargoEvent> = {}) => webhooks.note({ ...EVENT, ...event }),
    kept: () => webhooks.kept(),
    pending: () => keysOf(storage, 'webhooks/pending/'),
    dead: () => keysOf(storage, 'webhooks/dead/'),
  }
}
