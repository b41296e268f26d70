import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ListedObject } from '../host.ts'
import { absentIfMissing, unlessMissing } from './fs-read.ts'
import type { Root } from './fs-root.ts'
import { isKeySegment } from './object-key.ts'

const STATS_AT_ONCE = 64

/** Something in a folder; `path` is a key, or the beginning of keys with a final slash. */
interface Entry {
  readonly path: string
  readonly isFolder: boolean
}

/** What is to be made of a call for a folder that is missing. */
type OrAbsent = <T>(call: Promise<T>) => Promise<T | undefined>

/**
 * The files under `root` whose keys start with `prefix` and come after `after`, in the order of their bytes.
 * Folders are read when it is their turn, those wholly before `after` never. Names that cannot be part of a key
 * (temporary files) are no objects.
 * @throws {CargoError} as soon as a folder or file cannot be read: never a shorter list
 */
export async function* listFiles(root: Root, prefix: string, after: string): AsyncGenerator<ListedObject> {
  const isWanted = ({ path, isFolder }: Entry): boolean =>
    (path.startsWith(prefix) || (isFolder && prefix.startsWith(path))) &&
    (path > after || (isFolder && after.startsWith(path)))
  // A stack: the next entry is the last one.
  const pending: Entry[] = []
  const push = async (folder: string, orAbsent: OrAbsent): Promise<void> => {
    const entries = (await readFolder(root, folder, orAbsent)).filter(isWanted)
    for (const entry of entries.toSorted(descending)) pending.push(entry)
  }
  const orGone: OrAbsent = (call) => absentIfMissing(root, call)

  // When the first folder is missing, the look at the end is the next thing that is done.
  await push(prefix.slice(0, prefix.lastIndexOf('/') + 1), unlessMissing)
  while (pending.length > 0) {
    const files = takeFiles(pending)
    const found = await Promise.all(files.map((file) => describe(root, file)))
    for (const object of found) if (object !== undefined) yield object
    const next = pending.at(-1)
    if (next?.isFolder) {
      pending.pop()
      await push(next.path, orGone)
    }
  }
  // A disk that went away in the middle looks like many absent folders.
  await root.mustBeThere()
}

/** `a-b` comes before what is in `a/`, and that before `a0`: hence the slash in the paths of folders. */
function descending(a: Entry, b: Entry): number {
  return a.path < b.path ? 1 : -1
}

function takeFiles(pending: Entry[]): Entry[] {
  const files: Entry[] = []
  while (files.length < STATS_AT_ONCE && pending.at(-1)?.isFolder === false) {
    const file = pending.pop()
    if (file !== undefined) files.push(file)
  }
  return files
}

async function readFolder(root: Root, folder: string, orAbsent: OrAbsent): Promise<Entry[]> {
  const dirents = await orAbsent(readdir(join(root.path, folder), { withFileTypes: true }))
  const named = (dirents ?? []).filter((dirent) => isKeySegment(dirent.name))
  return await Promise.all(named.map((dirent) => entryOf(root, folder, dirent)))
}

async function entryOf(root: Root, folder: string, dirent: Dirent): Promise<Entry> {
  const path = folder + dirent.name
  const isFolder =
    dirent.isDirectory() || (!dirent.isFile() && (await leadsToFolder(root, join(root.path, path))))
  return { path: isFolder ? `${path}/` : path, isFolder }
}

/** For symbolic links, and for file systems that do not tell types with names. */
async function leadsToFolder(root: Root, path: string): Promise<boolean> {
  const info = await absentIfMissing(root, stat(path))
  return info?.isDirectory() ?? false
}

/** A file that vanished since its folder was read is no object any more. */
async function describe(root: Root, file: Entry): Promise<ListedObject | undefined> {
  const info = await absentIfMissing(root, stat(join(root.path, file.path)))
  return info?.isFile() ? { key: file.path, size: info.size, modified: info.mtime } : undefined
}
