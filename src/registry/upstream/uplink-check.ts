import type { Options } from '../../options.ts'
import { entriesOf } from '../../protocol/upstream-copy.ts'
import { createUplink, type Uplink } from '../../uplinks/uplink.ts'
import { UplinkError } from '../../uplinks/uplink-error.ts'

/** A crate that most registries have; that one has not is an answer too. */
const WELL_KNOWN = 'serde'

/** What an uplink's search is good for: it is `none` when `config.json` names no web API, or nothing is at `absent`. */
export type SearchCheck =
  | { readonly kind: 'usable' }
  | { readonly kind: 'none'; readonly absent?: string }
  | { readonly kind: 'unusable'; readonly problem: string }

/** How an uplink answers. */
export interface UplinkCheck {
  readonly name: string
  /** Milliseconds of an index file. */
  readonly took: number
  /** Versions of a well-known crate; 0: it does not have it. */
  readonly versions: number
  /** Whether a credential was sent. */
  readonly hasAuth: boolean
  /** Why its `config.json` cannot be used; else there is a `search`. */
  readonly problem?: string
  readonly search?: SearchCheck
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
    const problem = await uplink.config().then(() => undefined, problemOf)
    const more = problem === undefined ? { search: await checkSearch(uplink) } : { problem }
    return { name, took, versions, hasAuth: of.auth !== undefined, ...more }
  } finally {
    await uplink.close()
  }
}

async function checkSearch(uplink: Uplink): Promise<SearchCheck> {
  try {
    const found = await uplink.search({ q: WELL_KNOWN, perPage: 1, page: 1 })
    return { kind: found === undefined ? 'none' : 'usable' }
  } catch (error) {
    if (error instanceof UplinkError && error.absent !== undefined)
      return { kind: 'none', absent: error.absent }
    return { kind: 'unusable', problem: problemOf(error) }
  }
}

/** What is wrong, and where when nothing is there. */
export function problemOf(error: unknown): string {
  if (error instanceof UplinkError && error.absent !== undefined)
    return `${error.message} at \`${error.absent}\``
  return error instanceof Error ? error.message : String(error)
}
