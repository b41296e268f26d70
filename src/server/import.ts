import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Writable } from 'node:stream'
import { CargoError, isSystemError } from '../errors.ts'
import type { Logger } from '../host.ts'
import { fsStorage } from '../hosts/fs.ts'
import { parseOptions } from '../options.ts'
import { isIndexCache, linesOfIndexCache } from '../protocol/index-cache.ts'
import type { IndexEntry } from '../protocol/index-entry.ts'
import { parseLines } from '../protocol/index-lines.ts'
import { type CrateName, indexPath, isValidName } from '../protocol/name.ts'
import { compareVersions, isValidSemver, type Version } from '../protocol/version.ts'
import { createImporter } from '../registry/import.ts'
import { type ConfigSources, loadConfig } from './config-sources.ts'
import { pluginOptions } from './plugin-options.ts'
import { registryUrl } from './public-url.ts'

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

/** The `import` command: takes `.crate` files into the configured storage, telling each refusal on `out`. */
export async function importFolder(
  sources: ConfigSources,
  { folder, owner, index }: ImportRequest,
  { out, logger }: { readonly out: Writable; readonly logger: Logger },
): Promise<ImportReport> {
  const config = await loadConfig(sources)
  const storage = fsStorage(config.storage.fs.path)
  const options = parseOptions(pluginOptions(config, sources.environment))
  const via = registryUrl(config, options)
  const [now, monotonic] = [() => new Date(), () => performance.now()]
  const importer = createImporter({ storage, options, logger, owner, via, now, monotonic })
  const count = { imported: 0, present: 0 }
  const refused: string[] = []
  const lines = createLineFinder(index)
  try {
    for (const { path, name, vers } of await cratesIn(folder, refused)) {
      try {
        const line = await lines(name, vers)
        count[await importer.add({ name, vers, file: createReadStream(path), line })] += 1
      } catch (error) {
        // What is wrong with one crate is no reason to leave out the others; a broken storage is.
        if (!(error instanceof CargoError) || error.status >= 500) throw error
        refused.push(`${basename(path)}: ${error.message}`)
      }
    }
  } finally {
    await importer.close()
  }
  for (const refusal of refused) out.write(`refused ${refusal}\n`)
  out.write(`${count.imported} imported, ${count.present} already there, ${refused.length} refused\n`)
  return { ...count, refused }
}

/** Sorted by name and version, so that an index file grows in the order of its versions. */
async function cratesIn(folder: string, refused: string[]): Promise<CrateOnDisk[]> {
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

function createLineFinder(index: string | undefined) {
  const files = new Map<string, readonly IndexEntry[]>()
  return async function lineOf(name: CrateName, vers: Version): Promise<IndexEntry | undefined> {
    if (index === undefined) return undefined
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
