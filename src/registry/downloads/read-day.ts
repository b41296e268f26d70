import type { ListedObject, Logger } from '../../host.ts'
import { addVersions, readDayCounts, type VersionCounts } from '../../protocol/download-counts.ts'
import { inTurns } from '../in-turns.ts'
import { type RegistryStorage, readBytes } from '../reliable-storage.ts'

/** So many objects are fetched at a time. */
const PARALLEL = 8

/** Downloads of a day, by canonical name. */
export type DayCounts = ReadonlyMap<string, VersionCounts>

/** The sum of what the processes counted on a day. What is damaged or gone is worth nothing, and no reason to count nothing else. */
export async function readDay(
  { storage, logger }: { readonly storage: RegistryStorage; readonly logger: Logger },
  files: readonly ListedObject[],
): Promise<DayCounts> {
  const counts = new Map<string, VersionCounts>()
  const add = (name: string, versions: VersionCounts) => {
    const before = counts.get(name)
    counts.set(name, before === undefined ? versions : addVersions(before, versions))
  }
  for (let at = 0; at < files.length; at += PARALLEL) {
    const some = files.slice(at, at + PARALLEL)
    const found = await Promise.all(
      some.map(async ({ key }) => ({ key, bytes: await readObject(storage, key) })),
    )
    for (const { key, bytes } of found) {
      try {
        if (bytes !== undefined) await inTurns(readDayCounts(bytes, add))
      } catch (error) {
        logger.error({ err: error, key }, 'integrity: stored download counts are damaged and are left out')
      }
    }
  }
  return counts
}

/** The bytes of an object; `undefined` when it is not there. */
export async function readObject(storage: RegistryStorage, key: string): Promise<Buffer | undefined> {
  const object = await storage.get(key)
  return object && readBytes(object)
}
