import type { CrateView, VersionView } from '../../protocol/crate-view.ts'
import type { IndexEntry } from '../../protocol/index-entry.ts'
import type { ProxiedCrate } from './proxied.ts'

const views = new WeakMap<readonly IndexEntry[], CrateView>()

/** A crate of an uplink, as far as its index file tells and the rules allow; `entries` are what they leave of it. */
export function proxiedView({ uplink, copy }: ProxiedCrate, entries: readonly IndexEntry[]): CrateView {
  const known = views.get(entries)
  if (known !== undefined) return known
  const versions: readonly VersionView[] = entries.map((entry) => ({
    entry,
    at: entry.pubtime ?? copy.firstSeen[entry.vers] ?? copy.fetchedAt,
    details: {},
  }))
  const times = versions.map(({ at }) => at).sort((a, b) => Date.parse(a) - Date.parse(b))
  const view: CrateView = {
    name: entries[0]?.name ?? '',
    source: 'uplink',
    uplink: uplink.name,
    created: times[0] ?? copy.fetchedAt,
    updated: times.at(-1) ?? copy.fetchedAt,
    owners: [],
    about: {},
    versions,
  }
  views.set(entries, view)
  return view
}
