import type { CrateView, VersionView } from '../../protocol/crate-view.ts'
import type { IndexEntry } from '../../protocol/index-entry.ts'
import type { UpstreamAbout } from '../../protocol/upstream-about.ts'
import type { ProxiedCrate } from './proxied.ts'

const views = new WeakMap<
  readonly IndexEntry[],
  { readonly said?: UpstreamAbout; readonly view: CrateView }
>()

/**
 * A crate of an uplink: what its index file tells, as far as the rules leave `entries` of it, and what its API `said`
 * about just these. Made once of each.
 */
export function proxiedView(
  crate: ProxiedCrate,
  entries: readonly IndexEntry[],
  said: UpstreamAbout | undefined,
): CrateView {
  const known = views.get(entries)
  if (known !== undefined && known.said === said) return known.view
  const view = makeView(crate, entries, said)
  views.set(entries, { said, view })
  return view
}

function makeView(
  { uplink, copy }: ProxiedCrate,
  entries: readonly IndexEntry[],
  said: UpstreamAbout | undefined,
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
  const times = versions.map(({ at }) => at).sort((a, b) => Date.parse(a) - Date.parse(b))
  return {
    name: entries[0]?.name ?? '',
    source: 'uplink',
    uplink: uplink.name,
    created: said?.created ?? times[0] ?? copy.fetchedAt,
    updated: said?.updated ?? times.at(-1) ?? copy.fetchedAt,
    owners: [],
    about: said?.about ?? {},
    versions,
  }
}
