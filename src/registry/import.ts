import { randomUUID } from 'node:crypto'
import { CargoError } from '../errors.ts'
import type { CargoEvent, Logger, ObjectStore } from '../host.ts'
import type { Options } from '../options.ts'
import { decidePublish } from '../protocol/decide.ts'
import { type IndexEntry, pubtime } from '../protocol/index-entry.ts'
import type { CrateName } from '../protocol/name.ts'
import { findVersion } from '../protocol/record.ts'
import type { Version } from '../protocol/version.ts'
import { createBlobs } from './blobs.ts'
import { createCatalogue } from './catalogue.ts'
import { inspectCrate } from './crate-inspection.ts'
import { createCrateLog } from './crate-log.ts'
import { createSpool } from './spool.ts'

/** A crate to take over, from another registry or from cargo's own cache. */
export interface ImportedCrate {
  readonly name: CrateName
  readonly vers: Version
  /** The bytes of the `.crate` file. */
  readonly file: AsyncIterable<Uint8Array>
  /** Its line in the other registry's index: `yanked` and `pubtime` are kept, the checksum must agree. */
  readonly line?: Pick<IndexEntry, 'cksum' | 'yanked' | 'pubtime'>
}

/** `present`: exactly this crate was there already. */
export type ImportResult = 'imported' | 'present'

export interface Importer {
  /**
   * Takes over one crate; rules of policy are not asked.
   * @throws {CargoError} for a crate that is not sound, or a version that is there with other bytes
   */
  add(crate: ImportedCrate): Promise<ImportResult>
  /** Stores what is still on its way. */
  close(): Promise<void>
}

export interface ImporterDeps {
  readonly storage: ObjectStore
  readonly options: Options
  readonly logger: Logger
  readonly emit: (event: CargoEvent) => void
  /** Becomes the owner of every crate that is new. */
  readonly owner: string
  /** The base URL of the registry, mount included. */
  readonly via: string
  readonly now: () => Date
  readonly monotonic: () => number
}

/** Imports straight into the store; servers on the same store go on serving. */
export function createImporter({
  storage,
  options,
  logger,
  emit,
  owner,
  via,
  now,
  monotonic,
}: ImporterDeps): Importer {
  const noCache = { get: async () => undefined, set: async () => {} }
  const log = createCrateLog({ storage, cache: noCache, logger, monotonic })
  const announce = (event: Omit<CargoEvent, 'at'>) => emit({ at: now().toISOString(), ...event })
  const blobs = createBlobs({ storage, logger, emit: announce, monotonic })
  const catalogue = createCatalogue({ storage, logger, monotonic })
  const claimant = { name: owner, groups: [], admin: true, ownsByRule: true }

  return {
    async add({ name, vers, file, line }) {
      const spool = await createSpool(file)
      try {
        if (line !== undefined && line.cksum !== spool.sha256) {
          throw new CargoError(
            'invalid_tarball',
            `\`${name}@${vers}\` has checksum \`${spool.sha256}\`, its index line says \`${line.cksum}\``,
          )
        }
        const present = (await log.read(name, { fresh: true })).record
        if (present?.name === name && findVersion(present, vers)?.entry.cksum === spool.sha256)
          return 'present'
        const { entry, details } = await inspectCrate(options, via, { name, vers }, spool, now())
        const kept = { ...entry, yanked: line?.yanked ?? false, pubtime: line?.pubtime ?? entry.pubtime }
        await blobs.put(spool.sha256, spool.stream())
        const stamp = { id: randomUUID(), at: pubtime(now()), by: owner, via }
        const record = await log.append(name, (found) =>
          decidePublish(found, { entry: kept, details }, claimant, stamp),
        )
        if (record !== undefined) catalogue.note(record)
        const detail = { cksum: spool.sha256, size: spool.size, imported: true }
        announce({ kind: 'publish', crate: name, version: vers, by: owner, detail })
        return 'imported'
      } finally {
        await spool.dispose()
      }
    },
    async close() {
      await log.close()
      await catalogue.close()
    },
  }
}
