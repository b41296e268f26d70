import type { Options } from '../../options.ts'
import { entriesOf } from '../../protocol/upstream-copy.ts'
import { createUplink } from '../../uplinks/uplink.ts'

/** A crate that most registries have; that one has not is an answer too. */
const WELL_KNOWN = 'serde'

/** How an uplink answers. */
export interface UplinkCheck {
  readonly name: string
  /** Milliseconds of an index file. */
  readonly took: number
  /** Versions of a well-known crate; 0: it does not have it. */
  readonly versions: number
  /** Whether a credential was sent. */
  readonly hasAuth: boolean
  /** Why its `config.json` or its search cannot be used. */
  readonly problem?: string
}

/**
 * Asks an uplink of the options as a server would.
 * @throws {CargoError} saying why it does not answer, or what is wrong with its index
 */
export async function checkUplink(name: string, options: Options): Promise<UplinkCheck> {
  const of = options.uplinks[name]
  if (of === undefined) throw new Error(`there is no uplink \`${name}\``)
  const [now, monotonic] = [() => new Date(), () => performance.now()]
  const uplink = createUplink({
    ...{ name, options: of, limits: options.limits, offline: false, now, monotonic },
    onRequest() {},
    onAvailable() {},
  })
  try {
    const before = monotonic()
    const answer = await uplink.index(WELL_KNOWN)
    const took = monotonic() - before
    const versions = answer.kind === 'changed' ? entriesOf(WELL_KNOWN, answer.body).length : 0
    const problem = await uplink.search({ q: WELL_KNOWN, perPage: 1, page: 1 }).then(
      () => undefined,
      (error: Error) => error.message,
    )
    return { name, took, versions, hasAuth: of.auth !== undefined, ...(problem !== undefined && { problem }) }
  } finally {
    await uplink.close()
  }
}
