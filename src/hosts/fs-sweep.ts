import { readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { TEMP_MARK } from './fs-folders.ts'

/** Removes the temporary files below `root` that were last written before that time; how many. */
export async function sweepFiles(root: string, before: Date): Promise<number> {
  let count = 0
  const folders = [root]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    // Housekeeping: what goes away meanwhile, or cannot be read, is left alone.
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) folders.push(path)
      else if (entry.name.startsWith(TEMP_MARK) && (await removeOld(path, before))) count += 1
    }
  }
  return count
}

async function removeOld(path: string, before: Date): Promise<boolean> {
  try {
    if ((await stat(path)).mtime >= before) return false
    await unlink(path)
    return true
  } catch {
    return false
  }
}
