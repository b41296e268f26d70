import { Readable } from 'node:stream'
import type { ObjectInfo, ObjectStore } from '../host.ts'
import { bodyOf, collect } from './object-body.ts'
import { validateKey, validatePrefix } from './object-key.ts'

interface Stored {
  readonly bytes: Uint8Array
  readonly modified: Date
}

/** A store that forgets everything with the process: for tests and demonstrations. No other process can share it. */
export function memoryStorage(): Required<Omit<ObjectStore, 'signedUrl'>> {
  const objects = new Map<string, Stored>()
  const find = (key: string): Stored | undefined => objects.get(validateKey(key))

  return {
    multiWriter: false,
    heedsAfter: false,
    async get(key, range) {
      const found = find(key)
      if (found === undefined) return undefined
      return { ...infoOf(found), body: bodyOf(found.bytes.subarray(range?.start, range?.end)) }
    },
    async open(key) {
      const found = find(key)
      if (found === undefined) return undefined
      return {
        ...infoOf(found),
        read: async (buffer, position) => copyInto(buffer, found.bytes.subarray(position)),
        close: async () => {},
      }
    },
    async stat(key) {
      const found = find(key)
      return found && infoOf(found)
    },
    async put(key, body, options) {
      // A source may fail while nobody reads it yet, which without a listener ends the process.
      if (body instanceof Readable) body.on('error', () => {})
      try {
        validateKey(key)
        const bytes = await collect(body)
        if (options?.ifAbsent && objects.has(key)) return false
        objects.set(key, { bytes, modified: new Date() })
        return true
      } finally {
        if (body instanceof Readable) body.destroy()
      }
    },
    async delete(key) {
      objects.delete(validateKey(key))
    },
    async *list(prefix, options) {
      validatePrefix(prefix)
      const after = options?.after ?? ''
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after)
      for (const key of keys.sort()) {
        const found = objects.get(key)
        if (found !== undefined) yield { key, ...infoOf(found) }
      }
    },
    sweep: async () => 0,
    async close() {},
  }
}

function infoOf(stored: Stored): ObjectInfo {
  return { size: stored.bytes.length, modified: stored.modified }
}

function copyInto(buffer: Uint8Array, bytes: Uint8Array): number {
  const count = Math.min(buffer.length, bytes.length)
  buffer.set(bytes.subarray(0, count))
  return count
}
