import { type CrateView, defaultVersion } from '../protocol/crate-view.ts'
import { unknownCrate } from '../protocol/decide.ts'
import type { IndexEntry } from '../protocol/index-entry.ts'
import type { CrateName } from '../protocol/name.ts'
import { type Owner, ownerOf } from '../protocol/owner-api.ts'
import type { CrateRecord } from '../protocol/record.ts'
import type { Access, Caller } from './access.ts'
import type { CrateLog } from './crate-log.ts'
import type { CrateDownloads, DownloadCounts } from './download-counts.ts'
import type { ProxiedCrate } from './upstream/proxied.ts'
import { proxiedView } from './upstream/proxied-view.ts'
import type { Upstream } from './upstream/upstream.ts'

/** What is read about crates. */
export interface CrateViews {
  /**
   * The crate, for any spelling of its name: case, `-` and `_` do not matter.
   * @throws {CargoError} `not_found`, also for those who may not read the crate; `forbidden` when the rules deny all of
   * it; `unavailable` when whoever has it cannot say
   */
  crate(caller: Caller, name: CrateName): Promise<CrateView>
  /**
   * The crate, and how often it was downloaded here.
   * @throws {CargoError} as `crate`, and `unavailable` when the store of the counts is away
   */
  countedCrate(caller: Caller, name: CrateName): Promise<CountedCrate>
  /**
   * Who owns the crate; for an uplink's whom that names, nobody when it does not say.
   * @throws {CargoError} as `crate`; but a crate whose versions are all removed still has owners
   */
  owners(caller: Caller, name: CrateName): Promise<readonly Owner[]>
}

export interface CountedCrate {
  readonly view: CrateView
  readonly downloads: CrateDownloads
}

/** What is read about crates for those who have found out who may read them. */
export interface KnownCrates {
  /** The crate as far as it is known here, without a word to any uplink. */
  knownCrate(name: string): Promise<CrateView | undefined>
}

export interface CrateViewsDeps {
  readonly access: Access
  readonly log: CrateLog
  readonly upstream: Upstream
  readonly counts: Pick<DownloadCounts, 'of'>
  /** Makes the call, and tells the host when the rules deny it. */
  tellDenied<T>(caller: Caller, name: string, version: undefined, call: () => Promise<T>): Promise<T>
  /** What is thrown when storage cannot say whether there is a crate. */
  storageAway(): Error
}

/** A crate of an uplink, with the entries that the rules leave of it. */
interface FoundUpstream {
  readonly record?: undefined
  readonly crate: ProxiedCrate
  readonly entries: readonly IndexEntry[]
  /** Nobody can say whether the name is local by now: no uplink is asked more. */
  readonly stale: boolean
}

type Found = { readonly record: CrateRecord; readonly entries?: undefined } | FoundUpstream

export function createCrateViews({
  access,
  log,
  upstream,
  ...deps
}: CrateViewsDeps): CrateViews & KnownCrates {
  async function find(caller: Caller, name: CrateName): Promise<Found> {
    await access.mustRead(caller, name)
    const { record, stale } = await log.read(name, { absence: true })
    if (record?.removed) throw unknownCrate(name)
    const found = record === undefined ? await findUpstream(caller, name, stale) : { record }
    const published = (found.record ?? found.entries?.[0])?.name ?? name
    // The host's rules may tell spellings apart.
    if (published !== name && !(await access.may(caller, 'read', published))) throw unknownCrate(name)
    return found
  }

  async function findUpstream(caller: Caller, name: CrateName, stale: boolean): Promise<FoundUpstream> {
    const { proxied, policy } = upstream
    const crate = await (stale ? firstFound(spellings(name), proxied.peek) : lookUp(name))
    if (crate === undefined) throw stale ? deps.storageAway() : unknownCrate(name)
    const entries = await deps.tellDenied(caller, name, undefined, async () => policy.entries(crate))
    return { crate, entries, stale }
  }

  async function lookUp(name: string): Promise<ProxiedCrate | undefined> {
    const { proxied, api } = upstream
    const found = await firstFound(spellings(name), proxied.find)
    // How a name with several separators is spelled only its uplink knows.
    if (found !== undefined || !/[-_].*[-_]/.test(name)) return found
    const spelling = await api.spelling(proxied.uplinksOf(name), name)
    return spelling === undefined ? undefined : proxied.find(spelling)
  }

  /** What the uplink says goes before what the kept file of one version does. */
  async function proxiedCrate({ crate, entries, stale }: FoundUpstream): Promise<CrateView> {
    const said = await upstream.api.about(crate, { ask: !stale })
    if (said !== undefined) return proxiedView(crate, entries, { said })
    const shown = defaultVersion(entries.map((entry) => ({ entry })))
    return proxiedView(crate, entries, { kept: await upstream.keptDetails(shown.entry) })
  }

  async function crate(caller: Caller, name: CrateName): Promise<CrateView> {
    const found = await find(caller, name)
    if (found.record === undefined) return proxiedCrate(found)
    // Without versions there is nothing to tell: the same answer as from the index.
    if (found.record.versions.size === 0) throw unknownCrate(name)
    return localView(found.record)
  }

  return {
    crate,

    async countedCrate(caller, name) {
      const view = await crate(caller, name)
      return { view, downloads: await deps.counts.of(view.name) }
    },

    async knownCrate(name) {
      const { record } = await log.read(name)
      if (record !== undefined) return record.versions.size === 0 ? undefined : localView(record)
      const crate = await upstream.proxied.peek(name)
      if (crate === undefined) return undefined
      const { policy } = upstream
      if (crate.entries.every((entry) => policy.denies(entry.name, entry.vers))) return undefined
      const said = await upstream.api.about(crate, { ask: false })
      return proxiedView(crate, policy.entries(crate), { said })
    },

    async owners(caller, name) {
      const found = await find(caller, name)
      if (found.record !== undefined) return found.record.owners.map(ownerOf)
      return (await upstream.api.owners(found.crate, { ask: !found.stale })) ?? []
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
    ...{ entry, by, at, details },
  }))
  const about = defaultVersion(versions).details
  const view: CrateView = { name, source: 'local', created, updated, owners, about, versions }
  localViews.set(record, view)
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
