import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { isSystemError } from '../errors.ts'
import type { Root } from './fs-root.ts'

/** First character of temporary names; no key has it, so none is ever taken for an object. */
export const TEMP_MARK = '~'

const OWNER_ONLY = 0o700
const STALE_MS = 24 * 60 * 60 * 1000
const MAX_KNOWN_FOLDERS = 10_000

/** The folders under a root, and what of them would survive a power cut. */
export interface Folders {
  /**
   * Makes sure, once, that a folder exists; removes what crashed writers left in it more than a day ago. Fails when the
   * root is gone, instead of making another one where its disk would be mounted.
   */
  prepare(folder: string): Promise<void>
  /** Makes sure, once, that a folder that exists is durable, and all that lead to it. */
  settle(folder: string): Promise<void>
  /** Someone removed the folder: what was known is not known any more. */
  forget(folder: string): void
}

/**
 * Whoever created a folder may not have made it durable yet when another process already writes into it: so each
 * process sees to each folder itself, up to the root.
 */
export function createFolders(root: Pick<Root, 'path'>): Folders {
  const durable = new LRUCache<string, true>({ max: MAX_KNOWN_FOLDERS })
  const present = new LRUCache<string, true>({ max: MAX_KNOWN_FOLDERS })
  const preparing = new Map<string, Promise<void>>()

  function prepare(folder: string): Promise<void> {
    const running = preparing.get(folder)
    if (running !== undefined) return running
    const started = make(folder).finally(() => preparing.delete(folder))
    preparing.set(folder, started)
    return started
  }

  /** One by one, from the root on and not that: in a root that is gone nothing can be made. */
  async function make(folder: string): Promise<void> {
    const parent = dirname(folder)
    if (!isKnown(parent)) await prepare(parent)
    // A folder that was made just now has nothing in it to be swept.
    if (!(await isMade(folder))) await sweep(folder)
    present.set(folder, true)
  }

  const isKnown = (folder: string) => folder === root.path || durable.has(folder) || present.has(folder)

  return {
    async prepare(folder) {
      if (!isKnown(folder)) await prepare(folder)
    },
    async settle(folder) {
      const found: string[] = []
      for (let at = folder; at !== root.path && !durable.has(at); at = dirname(at)) found.push(at)
      await together(found.map((each) => syncFolder(dirname(each))))
      for (const each of found) durable.set(each, true)
    },
    forget(_folder) {
      // Parents may have gone with it.
      durable.clear()
      present.clear()
    },
  }
}

/** Whether a folder has been made just now; the one above must be there. */
async function isMade(folder: string): Promise<boolean> {
  try {
    await mkdir(folder)
    return true
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error
    return false
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
  const handle = await openFolder(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** To be synced and closed. */
export function openFolder(folder: string): Promise<FileHandle> {
  return open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
}

/** Waits for all, also when one fails: nothing goes on behind a failure. */
export async function together(work: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(work)
  await Promise.all(work)
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
