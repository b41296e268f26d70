import type { CargoEvent, MetadataCache, ObjectStore } from '../../../src/host.ts'
import { memoryStorage } from '../../../src/hosts/memory.ts'
import { noMetrics } from '../../../src/http/metrics.ts'
import { type OptionsInput, parseOptions } from '../../../src/options.ts'
import { validateName } from '../../../src/protocol/name.ts'
import { validateVersion } from '../../../src/protocol/version.ts'
import { createRegistry, type Registry } from '../../../src/registry/registry.ts'
import type { Uplink } from '../../support/uplink.ts'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** A clock that only goes on when it is told to. */
export interface Clock {
  readonly now: () => Date
  readonly monotonic: () => number
  advance(ms: number): void
}

export function fakeClock(start = '2026-06-01T00:00:00Z'): Clock {
  let ms = Date.parse(start)
  return {
    now: () => new Date(ms),
    monotonic: () => ms,
    advance(by) {
      ms += by
    },
  }
}

export interface ClockedRegistry {
  readonly registry: Registry
  readonly storage: ObjectStore
  readonly events: CargoEvent[]
  /** The body of an index file, with how it is served; the status of a failure. */
  index(name: string): Promise<Served>
  close(): Promise<void>
}

export interface Served {
  readonly status: number
  readonly text?: string
  readonly etag?: string
  readonly stale?: boolean
  /** In whole seconds. */
  readonly age?: number
  readonly asked?: boolean
}

export interface ClockedSpec {
  readonly clock: Clock
  readonly uplink: Uplink
  readonly options?: OptionsInput
  readonly up?: object
  readonly storage?: ObjectStore
  readonly cache?: MetadataCache
}

/** The registry behind the routes, with the one uplink `up` and a clock of the test's own. */
export function clockedRegistry(
  context: { after(done: () => Promise<void>): void },
  { clock, uplink, options, up, storage = memoryStorage(), cache = noCache }: ClockedSpec,
): ClockedRegistry {
  const events: CargoEvent[] = []
  const registry = createRegistry({
    host: {
      storage,
      cache,
      auth: { authenticate: async () => undefined, authorize: async () => true },
      logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      emit: (event) => void events.push(event),
    },
    options: parseOptions({
      prefetch: 0,
      uplinks: { up: { url: uplink.url, maxage: '2m', max_fails: 0, ...up } },
      ...options,
    }),
    observer: noMetrics,
    now: clock.now,
    monotonic: clock.monotonic,
  })
  context.after(() => registry.close())
  return {
    registry,
    storage,
    events,
    async index(name) {
      try {
        const { body, etag, stale, freshness } = await registry.index(NOBODY, validateName(name))
        const { age = 0, asked = false } = freshness ?? {}
        return { status: 200, text: body.toString(), etag, stale, age: Math.floor(age / SECOND), asked }
      } catch (error) {
        return { status: (error as { readonly status: number }).status }
      }
    },
    close: () => registry.close(),
  }
}

/** Asks for a file as anybody may; the status of a failure, and what it says. */
export async function downloadStatus({ registry }: ClockedRegistry, name: string, version: string) {
  try {
    await registry.download(NOBODY, validateName(name), validateVersion(version))
    return { status: 200 }
  } catch (error) {
    const { status, message } = error as { readonly status: number; readonly message: string }
    return { status, message }
  }
}

export const NOBODY = { principal: undefined, via: 'http://registry.test/cargo' }

const noCache: MetadataCache = {
  get: async () => undefined,
  set: async () => true,
  delete: async () => true,
}
