import type { Logger } from '../../host.ts'
import type { Options } from '../../options.ts'
import { createUplink, type Uplink } from '../../uplinks/uplink.ts'
import { boundedUplink } from './bounded-uplink.ts'

/** What the uplinks tell whoever measures them; must not throw. */
export interface UplinkObserver {
  uplinkRequest(uplink: string, kind: string, outcome: string): void
  uplinkAvailable(uplink: string, available: boolean): void
}

export interface UplinksDeps {
  readonly options: Options
  readonly observer: UplinkObserver
  readonly logger: Logger
  readonly now: () => Date
  readonly monotonic: () => number
}

/** The uplinks of the options, by name. */
export function createUplinks({
  options,
  observer,
  logger,
  now,
  monotonic,
}: UplinksDeps): ReadonlyMap<string, Uplink> {
  const { offline, limits } = options
  return new Map(
    Object.entries(options.uplinks).map(([name, of]) => [
      name,
      boundedUplink(
        createUplink({
          name,
          options: of,
          offline,
          limits,
          now,
          monotonic,
          onRequest: (kind, outcome) => observer.uplinkRequest(name, kind, outcome),
          onAvailable(available) {
            observer.uplinkAvailable(name, available)
            logger.warn(
              { uplink: name },
              available ? 'uplink is back' : 'uplink fails and is left alone for a while',
            )
          },
        }),
      ),
    ]),
  )
}

/** Those that some rule names. */
export function uplinksInUse({ packages }: Options, uplinks: ReadonlyMap<string, Uplink>): readonly Uplink[] {
  const names = new Set(Object.values(packages).flatMap(({ proxy = [] }) => proxy))
  return [...names].flatMap((name) => uplinks.get(name) ?? [])
}
