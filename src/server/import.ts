import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Writable } from 'node:stream'
import { CargoError, isSystemError } from '../errors.ts'
import type { CargoEvent, Logger } from '../host.ts'
import { parseOptions } from '../options.ts'
import { validateLogin } from '../protocol/api.ts'
import { isIndexCache, linesOfIndexCache } from '../protocol/index-cache.ts'
import type { IndexEntry } from '../protocol/index-entry.ts'
import { parseLines } from '../protocol/index-lines.ts'
import { type CrateName, indexPath, isValidName } from '../protocol/name.ts'
import { compareVersions, isValidSemver, type Version } from '../protocol/version.ts'
import { createImporter } from '../registry/import.ts'
import { type ConfigSources, loadConfig } from './config-sources.ts'
import { Mistake } from './mistake.ts'
import { pluginOptions } from './plugin-options.ts'
import { registryUrl } from './public-url.ts'
import { reasonOf } from './reason.ts'
import { type OpenStorage, openStorage } from './storage.ts'

const SUFFIX = '.crate'

export interface ImportRequest {
  /** The folder with `.crate` files, looked through with its subfolders. */
  readonly folder: string
  readonly owner: string
  /** A folder of index files (`se/rd/serde`), or cargo's own `.cache` folder of a registry. */
  readonly index?: string
}

/** What became of the files. */
export interface ImportReport {
  readonly imported: number
  readonly present: number
  /** One phrase for each file that was not taken, the file's name first. */
  readonly refused: readonly string[]
}

interface CrateOnDisk {
  readonly path: string
  readonly name: CrateName
  readonly vers: Version
}

/**
 * The `import` command: takes `.crate` files into the configured storage, telling each refusal on `out`.
 * @throws {ConfigError | OptionsError | Mistake} for what the operator has to put right
 */
export async function importFolder(
  sources: ConfigSources,
  { folder, owner, index }: ImportRequest,
  { out, logger }: { readonly out: Writable; readonly logger: Logger },
): Promise<ImportReport> {
  const refused: string[] = []
  mustBeLogin(owner)
  const crates = await cratesIn(folder, refused)
  const lines = await createLineFinder(index)
  const { importer, storage } = await openImporter(sources, owner, logger)
  const count = { imported: 0, present: 0 }
  try {
    for (const { path, name, vers } of crates) {
      try {
        const line = await lines?.(name, vers)
        if (lines !== undefined && line === undefined) refused.push(`${basename(path)}: no line in the index`)
        else count[await importer.add({ name, vers, file: createReadStream(path), line })] += 1
      } catch (error) {
        if (!(error instanceof CargoError)) throw error
        // What is wrong with one crate is no reason to leave out the others; a broken storage is.
        if (error.status >= 500) throw brokenStorage(storage, error)
        refused.push(`${basename(path)}: ${error.message}`)
      }
    }
  } finally {
    await importer.close()
    await storage.close()
  }
  for (const refusal of refused) out.write(`refused ${refusal}\n`)
  out.write(`${count.imported} imported, ${count.present} already there, ${refused.length} refused\n`)
  return { ...count, refused }
}

async function openImporter(sources: ConfigSources, owner: string, logger: Logger) {
  const config = await loadConfig(sources)
  const options = parseOptions(pluginOptions(config, sources.environment))
  const storage = await openStorage(config.storage, sources)
  const emit = (audit: CargoEvent) => logger.info({ audit }, 'audit')
  const importer = createImporter({
    ...{ options, logger, emit, owner },
    storage: storage.store,
    via: registryUrl(config, options),
    now: () => new Date(),
    monotonic: () => performance.now(),
  })
  return { importer, storage }
}

function mustBeLogin(owner: string): void {
  try {
    validateLogin(owner)
  } catch (cause) {
    throw new Mistake(reasonOf(cause), { cause })
  }
}

function brokenStorage({ name }: OpenStorage, cause: CargoError): Mistake {
  return new Mistake(`${name}: ${reasonOf(cause)}`, { cause })
}

async function mustBeFolder(path: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    const reason = isSystemError(cause, 'ENOENT') ? 'not found' : reasonOf(cause)
    throw new Mistake(`folder \`${path}\`: ${reason}`, { cause })
  })
  if (!found.isDirectory()) throw new Mistake(`folder \`${path}\`: not a folder`)
}

/** Sorted by name and version, so that an index file grows in the order of its versions. */
async function cratesIn(folder: string, refused: string[]): Promise<CrateOnDisk[]> {
  await mustBeFolder(folder)
  const files = await readdir(folder, { recursive: true })
  const found: CrateOnDisk[] = []
  for (const file of files.filter((one) => one.endsWith(SUFFIX))) {
    const crate = parseFileName(basename(file, SUFFIX))
    if (crate === undefined) refused.push(`${basename(file)}: not named \`<name>-<version>${SUFFIX}\``)
    else found.push({ path: join(folder, file), ...crate })
  }
  return found.sort((a, b) =>
    a.name === b.name ? compareVersions(a.vers, b.vers) : a.name < b.name ? -1 : 1,
  )
}

/** A name has no dots, so that only one `-` can be the one before a version. */
function parseFileName(stem: string): { readonly name: CrateName; readonly vers: Version } | undefined {
  for (let dash = stem.indexOf('-'); dash > 0; dash = stem.indexOf('-', dash + 1)) {
    const [name, vers] = [stem.slice(0, dash), stem.slice(dash + 1)]
    if (isValidName(name) && isValidSemver(vers)) return { name, vers }
  }
  return undefined
}

type LineFinder = (name: CrateName, vers: Version) => Promise<IndexEntry | undefined>

async function createLineFinder(index: string | undefined): Promise<LineFinder | undefined> {
  if (index === undefined) return undefined
  await mustBeFolder(index)
  const files = new Map<string, readonly IndexEntry[]>()
  return async function lineOf(name, vers) {
    const entries = files.get(name) ?? (await readIndexFile(join(index, indexPath(name))))
    files.set(name, entries)
    return entries.find((entry) => entry.vers === vers)
  }
}

async function readIndexFile(path: string): Promise<readonly IndexEntry[]> {
  try {
    const bytes = await readFile(path)
    return parseLines(isIndexCache(bytes) ? linesOfIndexCache(bytes) : bytes, { oldGrammar: true })
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return []
    throw error
  }
}
