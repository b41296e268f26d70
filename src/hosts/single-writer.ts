import { Readable } from 'node:stream'
import type { ObjectStore } from '../host.ts'

/**
 * Create-if-absent for a store that has none: this process looks first, one writer of a key after the other. It holds
 * only as long as no other process writes.
 */
export function singleWriter<Store extends ObjectStore>(store: Store): Store {
  const turns = new Map<string, Promise<unknown>>()

  async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = turns.get(key)
    const turn = (before ?? Promise.resolve()).then(work, work)
    turns.set(key, turn)
    try {
      return await turn
    } finally {
      if (turns.get(key) === turn) turns.delete(key)
    }
  }

  return {
    ...store,
    multiWriter: false,
    async put(key, body, options) {
      // A source may fail while it waits, which without a listener ends the process; reading tells it later.
      if (body instanceof Readable) body.on('error', () => {})
      try {
        return await inTurn(key, async () => {
          if (options?.ifAbsent && (await store.stat(key)) !== undefined) return false
          return store.put(key, body, { ...options, ifAbsent: false })
        })
      } finally {
        if (body instanceof Readable) body.destroy()
      }
    },
  }
}
