import { CargoError } from '../../errors.ts'
import type { CargoEvent, Logger, MetadataCache } from '../../host.ts'
import type { Options } from '../../options.ts'
import type { IndexEntry } from '../../protocol/index-entry.ts'
import type { Blobs } from '../blobs.ts'
import { summarizeCopy } from '../catalogue/entry.ts'
import { createCatalogue } from '../catalogue.ts'
import type { CrateFile } from '../crate-file.ts'
import type { IndexFile } from '../index-file.ts'
import { KEPT_CATALOGUE } from '../keys.ts'
import type { PackageRules } from '../package-rules.ts'
import type { RegistryStorage } from '../reliable-storage.ts'
import { createSealedCache } from '../sealed-cache.ts'
import type { UpstreamSearch } from '../search.ts'
import type { Soon } from '../soon.ts'
import { createCopyStore, hasCopies } from './copy-store.ts'
import { createCrateFetches } from './crate-fetches.ts'
import { createKeptDetails, type KeptDetails } from './kept-details.ts'
import { createProxied, type Proxied, type ProxiedCrate, type ProxiedVersion } from './proxied.ts'
import { createProxiedFiles, type JoinFetch } from './proxied-files.ts'
import { checkShadow } from './shadow.ts'
import { createSharedAbsence } from './shared-absence.ts'
import { createUplinks, type UplinkObserver, uplinksInUse } from './uplinks.ts'
import { createUpstreamApi, type UpstreamApi } from './upstream-api.ts'
import { createUpstreamIndex, MAX_ABSENT_MS } from './upstream-index.ts'
import { createUpstreamSearch } from './upstream-search.ts'
import { createVersionPolicy, type VersionPolicy } from './version-policy.ts'

/** What the uplinks tell whoever measures them; must not throw. */
export interface UpstreamObserver extends UplinkObserver {
  integrityConflict(conflict: string): void
}

/** Everything that is not local: found, checked, kept and served by the rules of its name. */
export interface Upstream {
  readonly proxied: Proxied
  readonly policy: VersionPolicy
  readonly search: UpstreamSearch
  readonly api: UpstreamApi
  readonly keptDetails: KeptDetails
  /** @throws {CargoError} as {@link Proxied.find}, and `forbidden` when the rules deny all of it */
  index(name: string): Promise<ServedIndex | undefined>
  /** What {@link Upstream.index} would say at once, of copies in memory; `undefined` when it would have to look. */
  ready(name: string): ServedIndex | 'absent' | undefined
  /** A version that {@link Upstream.download} would serve, as far as that is known at once. */
  readyVersion(name: string, version: string): ReadyVersion | undefined
  /** The same of what is known, marked stale, without a word to any uplink. */
  kept(name: string): Promise<ServedIndex | undefined>
  /** @throws {CargoError} as {@link Proxied.find}, and `forbidden` when the rules deny the version */
  download(name: string, version: string): Promise<CrateFile | undefined>
  /** Fetches and stores the file of a version, if it is not here; whether it had to. */
  bring(name: string, version: string): Promise<boolean>
  /**
   * The same for a version that {@link Proxied.findVersion} found, which no rule is asked about any more.
   * @throws {CargoError} what kept it from being stored
   */
  keep(found: ProxiedVersion): Promise<KeptCrate>
  /** Warnings about a name that is published for the first time; see {@link checkShadow}. */
  checkShadow(name: string): Promise<readonly string[]>
  close(): Promise<void>
}

/** A `.crate` file in the store. */
export interface KeptCrate {
  /** Bytes. */
  readonly size: number
  /** It was not here before. */
  readonly fetched: boolean
}

/** A version of an uplink's crate, as far as that is known at once. */
export interface ReadyVersion {
  readonly cksum: string
  /** As {@link ProxiedFiles.joining}. */
  joining(): Soon<JoinFetch | undefined>
  /** As {@link ProxiedFiles.fetch}. */
  readonly fetch: JoinFetch
}

export interface ServedIndex {
  readonly file: IndexFile
  readonly entries: readonly IndexEntry[]
  /** The uplink was asked for it. */
  readonly asked: boolean
  /** It was not in memory, or too old to be served at once. */
  readonly missed: boolean
}

export interface UpstreamDeps {
  readonly options: Options
  readonly rules: PackageRules
  readonly storage: RegistryStorage
  readonly cache: MetadataCache
  readonly blobs: Blobs
  readonly logger: Logger
  readonly observer: UpstreamObserver
  readonly emit: (event: Omit<CargoEvent, 'at'>) => void
  readonly isLocal: (name: string) => Promise<boolean>
  readonly now: () => Date
  readonly monotonic: () => number
}

/** @throws {OptionsError} naming the rule that cannot be read */
export function createUpstream(deps: UpstreamDeps): Upstream {
  const { options, rules, storage, blobs, logger, observer, emit, now, monotonic } = deps
  const uplinks = createUplinks(deps)
  const kept = createCatalogue({ storage, logger, monotonic, root: KEPT_CATALOGUE })
  const policy = createVersionPolicy(options, rules, now)
  const index = createUpstreamIndex({
    store: createCopyStore(storage, logger),
    cache: deps.cache,
    shared: createSharedAbsence(createSealedCache(deps.cache, storage), { now, maxMs: MAX_ABSENT_MS }),
    logger,
    now,
    monotonic,
    onCopy: (_, name, copy) => kept.add(summarizeCopy(name, copy)),
    onConflict(uplink, crate, conflict, detail) {
      observer.integrityConflict(conflict)
      logger.error(
        { uplink: uplink.name, crate, conflict, detail },
        'integrity: an index file was not believed',
      )
      emit({ kind: 'integrity', crate, detail: { uplink: uplink.name, conflict, found: detail } })
    },
  })
  const proxied = createProxied({ uplinks, rules, index, hasCopies: (name) => hasCopies(storage, name) })
  const fetches = createCrateFetches({
    blobs,
    logger,
    maxCrate: options.limits.proxied,
    onMismatch(uplink, { name: crate, vers: version, cksum }) {
      observer.integrityConflict('crate_checksum')
      logger.error(
        { uplink: uplink.name, crate, version, cksum },
        'integrity: a crate file has another checksum',
      )
      emit({
        kind: 'integrity',
        crate,
        version,
        detail: { uplink: uplink.name, conflict: 'crate_checksum', cksum },
      })
    },
  })
  const files = createProxiedFiles({ blobs, fetches })
  const search = createUpstreamSearch({
    uplinks: uplinksInUse(options, uplinks),
    rules,
    kept,
    logger,
    isLocal: deps.isLocal,
    isDenied: (name, version) => policy.denies(name, version),
  })

  const api = createUpstreamApi({ logger, monotonic })

  const served = (crate: ProxiedCrate): ServedIndex => ({
    file: policy.indexFile(crate),
    entries: policy.entries(crate),
    asked: crate.asked,
    missed: crate.asked || crate.loaded === true,
  })

  return {
    proxied,
    policy,
    search,
    async index(name) {
      const crate = await proxied.find(name)
      return crate && served(crate)
    },
    ready(name) {
      const crate = proxied.ready(name)
      return crate === undefined || crate === 'absent' ? crate : served(crate)
    },
    readyVersion(name, version) {
      const found = proxied.readyVersion(name, version)
      if (found === undefined || policy.judge(found.crate, version).verdict === 'denied') return undefined
      return {
        cksum: found.entry.cksum,
        joining: () => files.joining(found),
        fetch: () => files.fetch(found),
      }
    },
    async kept(name) {
      const crate = await proxied.peek(name)
      return crate && served({ ...crate, stale: true })
    },
    async download(name, version) {
      const found = await proxied.findVersion(name, version)
      if (found === undefined) return undefined
      const verdict = policy.judge(found.crate, version)
      if (verdict.verdict === 'denied')
        throw new CargoError('forbidden', `\`${name}@${version}\` is not served: ${verdict.reason}`)
      return files.of(found)
    },
    async bring(name, version) {
      const found = await proxied.findVersion(name, version)
      if (found === undefined || policy.judge(found.crate, version).verdict === 'denied') return false
      const { cksum } = found.entry
      if (fetches.isFetching(cksum)) return false
      if ((await blobs.stat(cksum)) !== undefined && !blobs.isDamaged(cksum)) return false
      const fetch = await fetches.fetch(found.crate.uplink, found.entry)
      await fetch.ended
      return true
    },
    async keep({ crate, entry }) {
      const present = await blobs.stat(entry.cksum)
      if (present !== undefined && !blobs.isDamaged(entry.cksum))
        return { size: present.size, fetched: false }
      const fetch = await fetches.fetch(crate.uplink, entry)
      const end = await fetch.ended
      if (!end.stored) throw end.reason
      return { size: end.size, fetched: true }
    },
    api,
    keptDetails: createKeptDetails({ blobs, logger }),
    checkShadow: (name) => checkShadow({ rules, proxied, index }, name),
    async close() {
      await index.close()
      await fetches.close()
      await kept.close()
      await Promise.all([...uplinks.values()].map((uplink) => uplink.close()))
      await api.close()
    },
  }
}
