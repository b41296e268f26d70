import type { CrateView, VersionView } from '../protocol/crate-view.ts'
import { defaultVersion } from '../protocol/crate-view.ts'
import { unknownCrate } from '../protocol/decide.ts'
import type { IndexEntry } from '../protocol/index-entry.ts'
import type { CrateName } from '../protocol/name.ts'
import type { CrateRecord } from '../protocol/record.ts'
import type { Access, Caller } from './access.ts'
import type { CrateLog } from './crate-log.ts'
import type { ProxiedCrate } from './upstream/proxied.ts'
import type { Upstream } from './upstream/upstream.ts'

/** What is read about crates. */
export interface CrateViews {
  /**
   * The crate, for any spelling of its name: case, `-` and `_` do not matter.
   * @throws {CargoError} `not_found`, also for those who may not read the crate; `forbidden` when the rules deny all of
   * it; `unavailable` when whoever has it cannot say
   */
  crate(caller: Caller, name: CrateName): Promise<CrateView>
}

export interface CrateViewsDeps {
  readonly access: Access
  readonly log: CrateLog
  readonly upstream: Upstream
  /** Makes the call, and tells the host when the rules deny it. */
  tellDenied<T>(caller: Caller, name: string, version: undefined, call: () => Promise<T>): Promise<T>
  /** What is thrown when storage cannot say whether there is a crate. */
  storageAway(): Error
}

export function createCrateViews({ access, log, upstream, ...deps }: CrateViewsDeps): CrateViews {
  async function find(caller: Caller, name: CrateName): Promise<CrateView> {
    const { record, stale } = await log.read(name, { absence: true })
    if (record !== undefined) {
      if (record.removed || record.versions.size === 0) throw unknownCrate(name)
      return localView(record)
    }
    const { proxied, policy } = upstream
    const look = stale ? proxied.peek : proxied.find
    const crate = await firstFound(spellings(name), look)
    if (crate === undefined) throw stale ? deps.storageAway() : unknownCrate(name)
    const entries = await deps.tellDenied(caller, name, undefined, async () => policy.entries(crate))
    return proxiedView(crate, entries)
  }

  return {
    async crate(caller, name) {
      await access.mustRead(caller, name)
      const view = await find(caller, name)
      // The host's rules may tell spellings apart.
      if (view.name !== name && !(await access.may(caller, 'read', view.name))) throw unknownCrate(name)
      return view
    },
  }
}

const localViews = new WeakMap<CrateRecord, CrateView>()

/** A crate of this registry; made once per state of the crate. */
function localView(record: CrateRecord): CrateView {
  const known = localViews.get(record)
  if (known !== undefined) return known
  const { name, created, updated, owners } = record
  const versions = [...record.versions.values()].map(({ entry, by, at, details }) => ({
    entry,
    by,
    at,
    details,
  }))
  const about = defaultVersion(versions).details
  const view: CrateView = { name, source: 'local', created, updated, owners, about, versions }
  localViews.set(record, view)
  return view
}

const proxiedViews = new WeakMap<readonly IndexEntry[], CrateView>()

/** A crate of an uplink, as far as its index file tells and the rules allow. */
function proxiedView({ uplink, copy }: ProxiedCrate, entries: readonly IndexEntry[]): CrateView {
  const known = proxiedViews.get(entries)
  if (known !== undefined) return known
  const versions: readonly VersionView[] = entries.map((entry) => ({
    entry,
    at: entry.pubtime ?? copy.firstSeen[entry.vers] ?? copy.fetchedAt,
    details: {},
  }))
  const times = versions.map(({ at }) => at).toSorted((a, b) => Date.parse(a) - Date.parse(b))
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
  proxiedViews.set(entries, view)
  return view
}

/** As cargo looks for a name: as it is, with `_` for every `-`, and the other way round. */
function spellings(name: string): ReadonlySet<string> {
  return new Set([name, name.replaceAll('-', '_'), name.replaceAll('_', '-')])
}

/** The crate under the first spelling that has one; a spelling that nobody can tell about only counts when none has. */
async function firstFound(
  names: Iterable<string>,
  look: (name: string) => Promise<ProxiedCrate | undefined>,
): Promise<ProxiedCrate | undefined> {
  const failures: unknown[] = []
  for (const name of names) {
    const found = await look(name).catch((error: unknown) => void failures.push(error))
    if (found !== undefined) return found
  }
  if (failures.length > 0) throw failures[0]
  return undefined
}
