import type { Logger, ObjectStore } from '../host.ts'
import type { Options } from '../options.ts'
import { type Blobs, createBlobs } from './blobs.ts'
import { type CrateLog, createCrateLog } from './crate-log.ts'
import { createPackageRules, type PackageRules } from './package-rules.ts'
import { type RegistryStorage, reliableStorage } from './reliable-storage.ts'
import { createUpstream, type Upstream } from './upstream/upstream.ts'

/** The parts of the registry for commands that work on its storage while servers go on serving from it. */
export interface Workbench {
  readonly storage: RegistryStorage
  readonly log: CrateLog
  readonly blobs: Blobs
  readonly rules: PackageRules
  readonly upstream: Upstream
  /** Stores what is still on its way. */
  close(): Promise<void>
}

export interface WorkbenchDeps {
  readonly storage: ObjectStore
  readonly options: Options
  readonly logger: Logger
  readonly now: () => Date
  readonly monotonic: () => number
}

/** @throws {OptionsError} naming the rule that cannot be read */
export function createWorkbench({
  storage: store,
  options,
  logger,
  now,
  monotonic,
}: WorkbenchDeps): Workbench {
  const storage = reliableStorage(store)
  const log = createCrateLog({ storage, cache: NO_CACHE, logger, monotonic })
  const emit = () => {}
  const blobs = createBlobs({ storage, logger, emit, monotonic })
  const rules = createPackageRules(options)
  const upstream = createUpstream({
    ...{ options, rules, storage, blobs, logger, emit, now, monotonic },
    cache: NO_CACHE,
    observer: { uplinkRequest() {}, uplinkAvailable() {}, integrityConflict() {} },
    isLocal: async (name) => (await log.read(name)).record !== undefined,
  })
  return {
    ...{ storage, log, blobs, rules, upstream },
    async close() {
      await upstream.close()
      await log.close()
    },
  }
}

/** A process that ends soon has nothing to look up twice. */
const NO_CACHE = { get: async () => undefined, set: async () => {}, delete: async () => false }
