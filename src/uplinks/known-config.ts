import type { IndexConfig } from '../protocol/index-config.ts'

/** For so long the `config.json` of an uplink is believed. */
const MAXAGE = 5 * 60_000
/** For so long the last good one stays in use before a new one is asked for again. */
const RETRY = 30_000

/** The `config.json` of an uplink. */
export interface KnownConfig {
  /** The last good one, as long as there is no new one to be had. */
  get(): Promise<IndexConfig>
  /** Somebody is going to want it: what has to be asked for is asked for now, unless that was tried just before. */
  prepare(): void
}

/** Asks `fetch` as seldom as it can: once for all who ask at a time, and not while what is known is young. */
export function createKnownConfig(fetch: () => Promise<IndexConfig>, monotonic: () => number): KnownConfig {
  let known: { readonly config: IndexConfig; readonly until: number } | undefined
  let renewing: Promise<IndexConfig> | undefined
  let preparedAt = Number.NEGATIVE_INFINITY

  async function renew(): Promise<IndexConfig> {
    try {
      const config = await fetch()
      known = { config, until: monotonic() + MAXAGE }
    } catch (error) {
      if (known === undefined) throw error
      known = { config: known.config, until: monotonic() + RETRY }
    }
    return known.config
  }

  async function get(): Promise<IndexConfig> {
    if (known !== undefined && monotonic() < known.until) return known.config
    renewing ??= renew().finally(() => {
      renewing = undefined
    })
    return renewing
  }

  return {
    get,
    prepare() {
      // An uplink with index files and nothing else must not be left alone for what nobody wants of it.
      if (monotonic() - preparedAt < RETRY) return
      preparedAt = monotonic()
      // Whoever wants it then is told what kept it away.
      get().catch(() => {})
    },
  }
}
