import { unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import type { ObjectStore } from '../host.ts'
import { guarded } from './fs-error.ts'
import { createDurably, createFolders, syncFolder } from './fs-folders.ts'
import { listFiles } from './fs-list.ts'
import { absentIfMissing, getObject, openObject, statObject } from './fs-read.ts'
import { createRoot } from './fs-root.ts'
import { sweepFiles } from './fs-sweep.ts'
import { writeObject } from './fs-write.ts'
import { validateKey, validatePrefix } from './object-key.ts'

/**
 * Objects as files under `root`, shared by any number of processes. The file system must have hard links and an
 * honest fsync. `root` is made at the first use, once: when it vanishes later, everything is `unavailable`.
 */
export function fsStorage(root: string): Required<Omit<ObjectStore, 'signedUrl'>> {
  const base = resolve(root)
  const place = createRoot(base)
  const folders = createFolders(place)
  let creation: Promise<void> | undefined

  async function ready(): Promise<void> {
    creation ??= createDurably(base)
    try {
      await guarded(creation)
    } catch (error) {
      creation = undefined
      throw error
    }
  }

  async function pathOf(key: string): Promise<string> {
    const path = join(base, validateKey(key))
    await ready()
    return path
  }

  return {
    multiWriter: true,
    heedsAfter: true,
    get: async (key, range) => getObject(place, await pathOf(key), range),
    open: async (key) => openObject(place, await pathOf(key)),
    stat: async (key) => statObject(place, await pathOf(key)),
    async put(key, body, options) {
      // A source may fail before `writeObject` listens, which without a listener ends the process.
      if (body instanceof Readable) body.on('error', () => {})
      try {
        return await writeObject(folders, await pathOf(key), body, options)
      } finally {
        if (body instanceof Readable) body.destroy()
      }
    },
    async delete(key) {
      const path = await pathOf(key)
      await absentIfMissing(place, unlink(path))
      await absentIfMissing(place, syncFolder(dirname(path)))
    },
    async *list(prefix, options) {
      validatePrefix(prefix)
      await ready()
      yield* listFiles(place, prefix, options?.after ?? '')
    },
    async sweep(before) {
      await ready()
      return sweepFiles(base, before)
    },
    async close() {},
  }
}
