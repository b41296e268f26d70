import { constants } from 'node:fs'
import { mkdir, open, readdir, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LRUCache } from 'lru-cache'
import type { Root } from './fs-root.ts'

/** First character of temporary names; no key has it, so none is ever taken for an object. */
export const TEMP_MARK = '~'

const OWNER_ONLY = 0o700
const STALE_MS = 24 * 60 * 60 * 1000
const MAX_KNOWN_FOLDERS = 10_000

/** The folders under a root, and what of them would survive a power cut. */
export interface Folders {
  /**
   * Makes sure, once, that a folder exists, durably if that is wanted; removes what crashed writers left in it more than
   * a day ago. Fails when the root is gone, instead of making another one where its disk would be mounted.
   */
  prepare(folder: string, durable: boolean): Promise<void>
  /** Someone removed the folder: what was known is not known any more. */
  forget(folder: string): void
}

/**
 * Whoever created a folder may not have made it durable yet when another process already writes into it: so each
 * process sees to each folder itself, up to the root.
 */
export function createFolders(root: Root): Folders {
  const durable = new LRUCache<string, true>({ max: MAX_KNOWN_FOLDERS })
  const present = new LRUCache<string, true>({ max: MAX_KNOWN_FOLDERS })

  /** A folder that was made just now has nothing in it to be swept. */
  async function make(folder: string): Promise<void> {
    await root.mustBeThere()
    const first = await mkdir(folder, { recursive: true })
    for (let at = folder; at !== root.path && !present.has(at); at = dirname(at)) {
      if (first === undefined || !at.startsWith(first)) await sweep(at)
      present.set(at, true)
    }
  }

  return {
    async prepare(folder, wantsDurable) {
      if (durable.has(folder) || (!wantsDurable && present.has(folder))) return
      await make(folder)
      if (!wantsDurable) return
      const found: string[] = []
      for (let at = folder; at !== root.path && !durable.has(at); at = dirname(at)) found.push(at)
      for (const each of found) await syncFolder(dirname(each))
      for (const each of [folder, ...found]) durable.set(each, true)
    },
    forget(_folder) {
      // Parents may have gone with it.
      durable.clear()
      present.clear()
    },
  }
}

/** Makes a folder that only its owner can read, since there are secrets in it, and all its missing parents, durably. */
export async function createDurably(folder: string): Promise<void> {
  const parent = await mkdir(dirname(folder), { recursive: true })
  const made = await mkdir(folder, { recursive: true, mode: OWNER_ONLY })
  const first = parent ?? made
  if (first === undefined) return
  const top = dirname(first)
  for (let at = folder; at !== top; at = dirname(at)) await syncFolder(dirname(at))
}

/** Makes the entries of a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Housekeeping never fails a write: what cannot be removed now is tried again by the next process. */
async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter((each) => each.startsWith(TEMP_MARK))) {
    await removeStale(join(folder, name)).catch(() => {})
  }
}

async function removeStale(path: string): Promise<void> {
  const { mtimeMs } = await stat(path)
  if (Date.now() - mtimeMs > STALE_MS) await unlink(path)
}
