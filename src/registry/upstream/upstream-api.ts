import type { Logger } from '../../host.ts'
import type { Owner } from '../../protocol/owner-api.ts'
import type { UpstreamAbout } from '../../protocol/upstream-about.ts'
import type { Uplink } from '../../uplinks/uplink.ts'
import { createApiMemory } from './api-memory.ts'
import { type ProxiedCrate, publishedName } from './proxied.ts'

/** What a login, a name and two URLs take at most, about. */
const OWNER_BYTES = 2048

/** With `ask: false` what is remembered is all. */
export interface AskOptions {
  readonly ask: boolean
}

/** What the web APIs of uplinks say beyond the index: soon or not at all, and never a failure. */
export interface UpstreamApi {
  about(crate: ProxiedCrate, options: AskOptions): Promise<UpstreamAbout | undefined>
  owners(crate: ProxiedCrate, options: AskOptions): Promise<readonly Owner[] | undefined>
  /** How the first of these uplinks that knows it spells a name. */
  spelling(uplinks: readonly Uplink[], name: string): Promise<string | undefined>
  /** Waits for what is being asked. */
  close(): Promise<void>
}

export function createUpstreamApi(deps: {
  readonly logger: Logger
  readonly monotonic: () => number
}): UpstreamApi {
  const abouts = createApiMemory({
    ask: (uplink, name) => uplink.about(name),
    sizeOf: ({ size }) => size,
    ...deps,
  })
  const owners = createApiMemory({
    ask: (uplink, name) => uplink.owners(name),
    sizeOf: ({ length }) => length * OWNER_BYTES,
    ...deps,
  })
  return {
    about: (crate, options) => abouts.recall(crate.uplink, publishedName(crate), options),
    owners: (crate, options) => owners.recall(crate.uplink, publishedName(crate), options),
    async spelling(uplinks, name) {
      for (const uplink of uplinks) {
        const said = await abouts.recall(uplink, name, { ask: true })
        if (said !== undefined) return said.name
      }
      return undefined
    },
    async close() {
      await Promise.all([abouts.settled(), owners.settled()])
    },
  }
}
