import type { ObjectStore } from '../../src/host.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'

/** A store whose use is written down, and that can be taken away. */
export interface WatchedStore extends ObjectStore {
  /** The keys read, in order. */
  readonly reads: string[]
  /** Makes every call fail, or ends that. */
  away(isAway: boolean): void
}

/** Watches the way to `storage`; what others do to it directly goes unnoticed. */
export function watchedStore(storage: ObjectStore = memoryStorage()): WatchedStore {
  const reads: string[] = []
  let gone = false
  const check = () => {
    if (gone) throw new Error('the store is away')
  }
  return {
    ...storage,
    reads,
    away: (isAway) => {
      gone = isAway
    },
    async get(key, range) {
      check()
      reads.push(key)
      return storage.get(key, range)
    },
    async stat(key) {
      check()
      return storage.stat(key)
    },
    async put(key, body, options) {
      check()
      return storage.put(key, body, options)
    },
    async *list(prefix, options) {
      check()
      yield* storage.list(prefix, options)
    },
  }
}

/** The keys in a store, in order. */
export async function keysOf(storage: ObjectStore, prefix = ''): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix)) keys.push(key)
  return keys
}
