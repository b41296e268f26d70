import { randomUUID } from 'node:crypto'
import { CargoError } from '../errors.ts'
import type { CargoEvent, Host, MetadataCache, Principal } from '../host.ts'
import { type Options, readsNeedLogin } from '../options.ts'
import type { PublishResponse } from '../protocol/api.ts'
import type { ChangeStamp } from '../protocol/change.ts'
import { mustExist, unknownCrate } from '../protocol/decide.ts'
import type { Explanation } from '../protocol/explanation.ts'
import type { IndexConfig } from '../protocol/index-config.ts'
import { pubtime } from '../protocol/index-entry.ts'
import type { CrateName } from '../protocol/name.ts'
import type { Version } from '../protocol/version.ts'
import { type Caller, createAccess } from './access.ts'
import { createAheadOfCallers } from './ahead-of-callers.ts'
import { createTrailWriter } from './audit/trail-writer.ts'
import { type Audit, createAudit } from './audit.ts'
import { createBlobs } from './blobs.ts'
import { createCaretaker } from './care/caretaker.ts'
import { createCatalogue } from './catalogue.ts'
import { type CrateChanges, createCrateChanges } from './crate-changes.ts'
import { createCrateLog } from './crate-log.ts'
import { type CrateViews, createCrateViews } from './crate-view.ts'
import { createDownloads, type Downloads } from './download.ts'
import { type CrateDownloads, createDownloadCounts } from './download-counts.ts'
import { explainCrate } from './explain.ts'
import { type IndexFile, indexFile } from './index-file.ts'
import { type CrateLists, createCrateLists } from './lists/crate-lists.ts'
import { createLoadAhead } from './load-ahead.ts'
import { createPackageRules } from './package-rules.ts'
import { createPublisher, type PublishRequest } from './publish.ts'
import { createReadmes, type Readmes } from './readmes.ts'
import { createReady, type Ready } from './ready.ts'
import { reliableStorage } from './reliable-storage.ts'
import { createSealedCache } from './sealed-cache.ts'
import type { AheadOutcome } from './upstream/ahead.ts'
import { createUpstream, type UpstreamObserver } from './upstream/upstream.ts'

/** The service: every answer is for a caller, and only says what that caller may know. */
export interface Registry extends Audit, CrateChanges, CrateLists, CrateViews, Downloads, Readmes {
  readonly options: Options
  readonly ready: Ready
  config(caller: Caller): IndexConfig
  /** @throws {CargoError} `not_found`, also for those who may not read the crate */
  index(caller: Caller, name: CrateName): Promise<IndexFile>
  /**
   * How often the crate was downloaded here, be it local or an uplink's.
   * @throws {CargoError} as {@link CrateViews.crate}
   */
  downloads(caller: Caller, name: CrateName): Promise<CrateDownloads>
  publish(caller: Caller, request: PublishRequest): Promise<PublishResponse>
  /**
   * Admins may ask for any name.
   * @throws {CargoError} `not_found` for others, who may not read the crate or whose crate does not exist
   */
  explain(caller: Caller, name: CrateName, version?: Version): Promise<Explanation>
  /** Finishes what runs behind the answers. */
  close(): Promise<void>
}

/** What the registry tells whoever measures it. */
export interface RegistryObserver extends UpstreamObserver {
  cacheLookup(tier: 'process' | 'shared', result: 'hit' | 'miss' | 'rejected'): void
  published(bytes: number): void
  /** Something was fetched before it was asked for, or what was is asked for now. */
  fetchedAhead(kind: 'index' | 'crate', outcome: AheadOutcome): void
}

export interface RegistryDeps {
  readonly host: Pick<Host, 'auth' | 'storage' | 'emit'> & {
    readonly cache: MetadataCache
    readonly logger: NonNullable<Host['logger']>
  }
  readonly options: Options
  readonly observer: RegistryObserver
  readonly now: () => Date
  readonly monotonic: () => number
}

/** The registry over a host's storage, users and cache. */
export function createRegistry({ host, options, observer, now, monotonic }: RegistryDeps): Registry {
  const { logger } = host
  const storage = reliableStorage(host.storage)
  const emit = (event: Omit<CargoEvent, 'at'>) => host.emit?.({ at: now().toISOString(), ...event })
  const rules = createPackageRules(options)
  const access = createAccess(options, rules, host.auth)
  const cache = createSealedCache(host.cache, storage, (result) => observer.cacheLookup('shared', result))
  const catalogue = createCatalogue({ storage, logger, monotonic })
  const onLookup = (result: 'hit' | 'miss') => observer.cacheLookup('process', result)
  const log = createCrateLog({
    ...{ storage, cache, logger, monotonic, onLookup },
    onColdRead: (record) => catalogue.note(record),
  })
  const blobs = createBlobs({ storage, logger, emit, monotonic })
  const upstream = createUpstream({
    ...{ options, rules, storage, blobs, logger, observer, emit, now, monotonic },
    cache: host.cache,
    isLocal: async (name) => (await log.read(name)).record !== undefined,
  })
  const ahead = createAheadOfCallers({
    ...{ options, log, upstream, logger, monotonic },
    onOutcome: (kind, outcome) => observer.fetchedAhead(kind, outcome),
  })
  const counts = createDownloadCounts({ storage, logger, now, monotonic })
  const caretaker = createCaretaker({
    ...{ storage: host.storage, downloads: counts, retention: options.retention, logger, now },
  })
  const trail = options.audit_downloads ? createTrailWriter({ storage, logger, now }) : undefined
  const audit = createAudit({ access, storage, logger, monotonic })
  const loginForReads = readsNeedLogin(options)
  const isProxied = (name: string) => upstream.proxied.uplinksOf(name).length > 0

  const stamp = (caller: Caller, { name: by, tokenId }: Principal): ChangeStamp => ({
    id: randomUUID(),
    at: pubtime(now()),
    by,
    via: caller.via,
    ...(tokenId !== undefined && { tokenId }),
  })

  const { checkShadow } = upstream
  const publishCrate = createPublisher({ options, access, log, blobs, stamp, now, checkShadow, isProxied })
  const changes = createCrateChanges({ access, log, stamp, noteChange, announce })

  const { knownCrate, ...views } = createCrateViews({
    ...{ access, log, upstream, counts, tellDenied, storageAway },
  })
  const lists = createCrateLists({
    ...{ catalogue, access, rules, monotonic, views: { ...views, knownCrate } },
    ...{ upstream: upstream.search, counts },
  })
  const { download, fileOf, noteSent } = createDownloads({
    ...{ access, log, blobs, logger, upstream, ahead, counts, trail, tellDenied },
  })
  const readmes = createReadmes({ views, fileOf, logger })
  const loadAll = () => Promise.all([catalogue.read(), upstream.search.kept()])
  const catalogues = createLoadAhead(loadAll, logger)

  async function readIndex(caller: Caller, name: CrateName): Promise<IndexFile> {
    const { record, stale } = await log.read(name, { absence: true })
    if (record === undefined) {
      const served = await tellDenied(caller, name, undefined, () =>
        stale ? upstream.kept(name) : upstream.index(name),
      )
      if (served === undefined) throw stale ? storageAway() : unknownCrate(name)
      ahead.servedUpstream(caller, name, served)
      return served.file
    }
    // The path is lower case whatever the published spelling is; `-` and `_` are told apart. Without versions there is
    // nothing to resolve: the same answer as before the first publish.
    const isNamed = record.name.toLowerCase() === name.toLowerCase()
    if (!isNamed || record.versions.size === 0) throw unknownCrate(name)
    const file = indexFile(mustExist(record, record.name), stale)
    ahead.servedLocal(caller, record)
    return file
  }

  return {
    options,
    ready: createReady({ access, log, blobs, upstream, ahead, noteSent, onLookup }),
    config: ({ via }) => ({
      dl: `${via}/api/v1/crates`,
      api: via,
      ...(loginForReads && { 'auth-required': true }),
    }),

    async index(caller, name) {
      catalogues.soon()
      await access.mustRead(caller, name)
      const answered = ahead.indexAsked(caller, name)
      return readIndex(caller, name).finally(answered)
    },

    download,
    downloads: async (caller, name) => (await views.countedCrate(caller, name)).downloads,

    async publish(caller, request) {
      const done = await publishCrate(caller, request)
      const { name, vers, cksum } = done.entry
      await noteChange(name)
      observer.published(done.size)
      announce('publish', caller, name, { version: vers, detail: { cksum, size: done.size } })
      return done.response
    },

    ...audit,
    ...changes,
    ...views,
    ...lists,
    ...readmes,

    async explain(caller, name, version) {
      const isAdmin = await access.may(caller, 'admin')
      if (!isAdmin) await access.mustRead(caller, name)
      const { record } = await log.read(name)
      const explanation = await explainCrate({ rules, blobs, upstream }, record, name, version)
      // What is not there must look like what may not be seen.
      if (explanation.source === 'none' && !isAdmin) throw unknownCrate(name)
      return explanation
    },

    async close() {
      catalogues.close()
      await caretaker.close()
      await counts.close()
      await trail?.close()
      await ahead.close()
      await upstream.close()
      await log.close()
      await catalogue.close()
    },
  }

  /** What the rules keep from somebody is told to the host. */
  async function tellDenied<T>(
    caller: Caller,
    name: string,
    version: string | undefined,
    call: () => Promise<T>,
  ): Promise<T> {
    try {
      return await call()
    } catch (error) {
      if (error instanceof CargoError && error.code === 'forbidden')
        announce('denied', caller, name, { ...(version && { version }), detail: { reason: error.message } })
      throw error
    }
  }

  async function noteChange(name: string): Promise<void> {
    const { record } = await log.read(name)
    if (record !== undefined) catalogue.note(record)
  }

  function announce(
    kind: CargoEvent['kind'],
    caller: Caller,
    crate: string,
    more: Partial<CargoEvent>,
  ): void {
    emit({ kind, crate, by: caller.principal?.name, tokenId: caller.principal?.tokenId, ...more })
  }
}

function storageAway(): CargoError {
  return new CargoError('unavailable', 'storage is not available, try again later')
}
