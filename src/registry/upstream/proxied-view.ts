import {
  type CrateView,
  defaultVersion,
  type KnownDetails,
  type VersionView,
} from '../../protocol/crate-view.ts'
import type { IndexEntry } from '../../protocol/index-entry.ts'
import { spanOf } from '../../protocol/top-versions.ts'
import type { UpstreamAbout } from '../../protocol/upstream-about.ts'
import type { ProxiedCrate } from './proxied.ts'

/** What is known of a crate of an uplink beyond its index file. */
export interface BeyondIndex {
  /** What the uplink's API says. */
  readonly said?: UpstreamAbout
  /** What the default version says of itself, when its file is kept. */
  readonly kept?: KnownDetails
}

const views = new WeakMap<readonly IndexEntry[], { readonly known: BeyondIndex; readonly view: CrateView }>()

/**
 * A crate of an uplink: what its index file tells, as far as the rules leave `entries` of it, and what else is known
 * about just these. Made once of each.
 */
export function proxiedView(
  crate: ProxiedCrate,
  entries: readonly IndexEntry[],
  known: BeyondIndex = {},
): CrateView {
  const before = views.get(entries)
  if (before !== undefined && before.known.said === known.said && before.known.kept === known.kept)
    return before.view
  const view = makeView(crate, entries, known)
  views.set(entries, { known, view })
  return view
}

function makeView(
  { uplink, copy }: ProxiedCrate,
  entries: readonly IndexEntry[],
  { said, kept }: BeyondIndex,
): CrateView {
  const versions = entries.map((entry): VersionView => {
    const about = said?.versions.get(entry.vers)
    const isOfThis = about?.checksum === undefined || about.checksum === entry.cksum
    return {
      entry,
      at: entry.pubtime ?? copy.firstSeen[entry.vers] ?? copy.fetchedAt,
      ...(isOfThis && about?.by !== undefined && { by: about.by }),
      details: (isOfThis ? about?.details : undefined) ?? {},
    }
  })
  const shown = defaultVersion(versions)
  const [earliest, latest] = spanOf(versions.map(({ at }) => at))
  return {
    name: entries[0]?.name ?? '',
    source: 'uplink',
    uplink: uplink.name,
    created: said?.created ?? earliest ?? copy.fetchedAt,
    updated: said?.updated ?? latest ?? copy.fetchedAt,
    owners: [],
    about: said?.about ?? kept ?? {},
    versions:
      kept === undefined
        ? versions
        : versions.map((one) => (one === shown ? { ...one, details: kept } : one)),
  }
}
