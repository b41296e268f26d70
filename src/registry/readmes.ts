import { LRUCache } from 'lru-cache'
import { CargoError } from '../errors.ts'
import type { Logger } from '../host.ts'
import { versionOf } from '../protocol/crate-view.ts'
import { unknownVersion } from '../protocol/decide.ts'
import type { IndexEntry } from '../protocol/index-entry.ts'
import { MAX_MANIFEST_BYTES } from '../protocol/manifest.ts'
import { type CrateName, validateName } from '../protocol/name.ts'
import { decodeReadme, type Readme, readmePaths } from '../protocol/readme.ts'
import { MAX_TARBALL_ENTRIES } from '../protocol/tarball.ts'
import { findFiles } from '../protocol/tarball-files.ts'
import { type Version, validateVersion } from '../protocol/version.ts'
import type { Caller } from './access.ts'
import type { CrateFile } from './crate-file.ts'
import type { CrateViews } from './crate-view.ts'
import { singleFlight } from './single-flight.ts'

const KiB = 1024
const MiB = 1024 * KiB
/** Nobody reads on. */
const MAX_README = 512 * KiB
/** Of the largest crates those parts that may hold a README: cargo packs it before `src`. */
const MAX_UNPACKED = 128 * MiB
const MAX_KEPT = 32 * MiB
/** An entry takes some room, even one that says that there is nothing. */
const ENTRY_BYTES = 256

export interface Readmes {
  /**
   * The README of a version, at most 512 KiB of it; `undefined` when there is none, or the file cannot be unpacked.
   * @throws {CargoError} as {@link CrateViews.crate}, and `not_found` for an unknown version
   */
  readme(caller: Caller, name: CrateName, version: Version): Promise<Readme | undefined>
}

export interface ReadmesDeps {
  readonly views: Pick<CrateViews, 'crate'>
  /** The file of a version that is there and that the caller may read; not counted as a download. */
  fileOf(caller: Caller, name: CrateName, version: Version): Promise<CrateFile>
  readonly logger: Logger
}

/** The READMEs in the `.crate` files; those that were read lately are remembered. */
export function createReadmes({ views, fileOf, logger }: ReadmesDeps): Readmes {
  const known = new LRUCache<string, { readonly readme: Readme | undefined }>({
    maxSize: MAX_KEPT,
    sizeCalculation: ({ readme }) => ENTRY_BYTES + 2 * (readme?.text.length ?? 0),
  })
  const flights = singleFlight<Readme | undefined>()

  async function find(caller: Caller, entry: IndexEntry, paths: readonly string[], maxFile: number) {
    const search = { name: entry.name, version: entry.vers, paths, maxFile }
    const limits = { maxUnpacked: MAX_UNPACKED, maxEntries: MAX_TARBALL_ENTRIES }
    const file = await fileOf(caller, validateName(entry.name), validateVersion(entry.vers))
    const { body } = await file.open()
    return findFiles(body, { ...search, ...limits })
  }

  async function read(caller: Caller, entry: IndexEntry): Promise<Readme | undefined> {
    const manifest = (await find(caller, entry, ['Cargo.toml'], MAX_MANIFEST_BYTES)).get('Cargo.toml')
    const paths = manifest === undefined ? [] : readmePaths(manifest)
    if (paths.length === 0) return undefined
    const files = await find(caller, entry, paths, MAX_README)
    for (const path of paths) {
      const bytes = files.get(path)
      if (bytes !== undefined) return { path, text: decodeReadme(bytes) }
    }
    return undefined
  }

  /** A file that nobody can unpack has no README. */
  async function readAnyway(caller: Caller, entry: IndexEntry): Promise<Readme | undefined> {
    try {
      return await read(caller, entry)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      logger.warn({ crate: entry.name, version: entry.vers, cause: String(error) }, 'a README cannot be read')
      return undefined
    }
  }

  return {
    async readme(caller, name, version) {
      const view = await views.crate(caller, name)
      const entry = versionOf(view, version)?.entry
      if (entry === undefined) throw unknownVersion(view.name, version)
      // The same bytes may be of two crates, or of one that was removed and that of an uplink.
      const key = `${entry.name} ${entry.vers} ${entry.cksum}`
      const kept = known.get(key)
      if (kept !== undefined) return kept.readme
      return flights.run(key, async () => {
        const readme = await readAnyway(caller, entry)
        known.set(key, { readme })
        return readme
      })
    },
  }
}

function isUnreadable(error: unknown): boolean {
  if (error instanceof CargoError) return error.code === 'invalid_tarball' || error.code === 'too_large'
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')
}
