import type { Readable } from 'node:stream'
import { gunzip } from './gunzip.ts'
import { tarReader } from './tar-reader.ts'

/** Files that are looked for in a `.crate` file. */
export interface FileSearch {
  readonly name: string
  readonly version: string
  /** Below the crate's directory. */
  readonly paths: readonly string[]
  /** Bytes; of a longer file the beginning is taken. */
  readonly maxFile: number
  /** Bytes of the uncompressed archive; what comes later is not found. */
  readonly maxUnpacked: number
  readonly maxEntries: number
}

/**
 * The beginnings of those of the files that are there. Reads no farther than it must, in a bounded amount of memory,
 * and destroys `source` in the end.
 * @throws {CargoError} `invalid_tarball`, or `too_large` before all are found; errors of `source` as they are
 */
export async function findFiles(source: Readable, search: FileSearch): Promise<ReadonlyMap<string, Buffer>> {
  const root = `${search.name}-${search.version}/`
  const wanted = new Set(search.paths)
  const found = new Map<string, Buffer>()

  const reader = tarReader(search, ({ isDirectory, path }) => {
    const inside = path.startsWith(root) ? path.slice(root.length) : ''
    if (isDirectory || !wanted.has(inside)) return undefined
    return {
      maxBytes: search.maxFile,
      take(beginning) {
        found.set(inside, beginning)
        if (found.size === wanted.size) throw new Error('all files are found')
      },
    }
  })
  try {
    await gunzip(source, reader)
  } catch (error) {
    if (found.size < wanted.size) throw error
  }
  return found
}
