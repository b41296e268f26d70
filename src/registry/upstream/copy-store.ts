import { CargoError } from '../../errors.ts'
import type { Logger } from '../../host.ts'
import { encodeCopy, parseCopy, type UpstreamCopy } from '../../protocol/upstream-copy.ts'
import { copiesPrefix, copyKey, numberOf, uplinkPrefix } from '../keys.ts'
import { type RegistryStorage, readBytes } from '../reliable-storage.ts'

/** The copies of uplinks' index files, each numbered; the newest two are kept. */
export interface CopyStore {
  newest(uplink: string, name: string): Promise<UpstreamCopy | undefined>
  /** A copy that another process stored after `copy`. */
  newer(uplink: string, name: string, copy: UpstreamCopy): Promise<UpstreamCopy | undefined>
  /** Stores a copy; `false` when another process was faster. */
  add(uplink: string, name: string, copy: UpstreamCopy): Promise<boolean>
}

/** Whether anything at all is kept of an uplink. */
export async function hasCopies(storage: RegistryStorage, uplink: string): Promise<boolean> {
  for await (const _ of storage.list(uplinkPrefix(uplink))) return true
  return false
}

export function createCopyStore(storage: RegistryStorage, logger: Logger): CopyStore {
  async function read(key: string): Promise<UpstreamCopy | undefined> {
    const object = await storage.get(key)
    return object && parseCopy(await readBytes(object))
  }

  async function newestFrom(uplink: string, name: string, from: number): Promise<UpstreamCopy | undefined> {
    const numbers: number[] = []
    for await (const { key } of storage.list(copiesPrefix(uplink, name))) numbers.push(numberOf(key) ?? 0)
    const [last = 0, previous] = numbers.toReversed()
    if (last <= from) return undefined
    try {
      // One that is gone by now has two newer ones behind it.
      return (await read(copyKey(uplink, name, last))) ?? newestFrom(uplink, name, last)
    } catch (error) {
      const before = isDamage(error) && previous && (await read(copyKey(uplink, name, previous)))
      if (!before) throw error
      logger.error(
        { err: error, uplink, crate: name, copy: last },
        'integrity: a stored index copy is damaged',
      )
      // The next one gets the next free number.
      return { ...before, n: last }
    }
  }

  return {
    newest: (uplink, name) => newestFrom(uplink, name, 0),
    // The next one may be gone already, with newer ones behind it.
    newer: (uplink, name, { n }) => newestFrom(uplink, name, n),
    async add(uplink, name, copy) {
      const { n } = copy
      if (
        !(await storage.put(copyKey(uplink, name, n), encodeCopy(copy), { ifAbsent: true, durable: false }))
      )
        return false
      if (n > 2) {
        await storage
          .delete(copyKey(uplink, name, n - 2))
          .catch((error) =>
            logger.warn({ err: error, uplink, crate: name }, 'an old index copy was not removed'),
          )
      }
      return true
    },
  }
}

/** That the store is away says nothing of a copy. */
function isDamage(error: unknown): boolean {
  return error instanceof CargoError && error.code === 'internal'
}
