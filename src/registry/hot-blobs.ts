import { LRUCache } from 'lru-cache'
import type { ObjectInfo } from '../host.ts'

/** Memory for the files that are asked for most: most crates are small. */
const MAX_BYTES = 64 * 1024 * 1024
/** Bytes are sent for so many milliseconds without a look at the store; as long as a record is trusted. */
const TRUSTED_MS = 1000

/** Verified bytes of a small blob, and the object that they are of. */
export interface HotBlob extends ObjectInfo {
  readonly bytes: Buffer
}

/** Small blobs that were verified, in memory. */
export interface HotBlobs {
  /** `undefined` also for those whose object was not looked at for a second. */
  get(sha256: string): HotBlob | undefined
  has(sha256: string): boolean
  set(sha256: string, blob: HotBlob): void
  /** The object was looked at; if it is another one now, the bytes are forgotten. */
  seen(sha256: string, object: ObjectInfo | undefined): void
  delete(sha256: string): void
}

export function createHotBlobs(monotonic: () => number): HotBlobs {
  const blobs = new LRUCache<string, HotBlob & { lookedAt: number }>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ size }) => size + 1,
  })
  return {
    get(sha256) {
      const blob = blobs.get(sha256)
      return blob !== undefined && monotonic() - blob.lookedAt <= TRUSTED_MS ? blob : undefined
    },
    has: (sha256) => blobs.has(sha256),
    set: (sha256, blob) => void blobs.set(sha256, { ...blob, lookedAt: monotonic() }),
    seen(sha256, object) {
      const blob = blobs.peek(sha256)
      if (blob === undefined) return
      if (object?.size === blob.size && object.modified.getTime() === blob.modified.getTime())
        blob.lookedAt = monotonic()
      else blobs.delete(sha256)
    },
    delete: (sha256) => void blobs.delete(sha256),
  }
}
