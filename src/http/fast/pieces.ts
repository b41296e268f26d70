import { LRUCache } from 'lru-cache'

/** Memory for pieces, and for how many more it is remembered that somebody read them. */
const MAX_BYTES = 24 * 1024 * 1024
const MAX_REMEMBERED = 4096

/**
 * Pieces of large files that are asked for again and again, in memory: to read one from its file costs as much as to
 * send it. Whoever sends one holds no more than that piece, however slow its reader is.
 */
export interface Pieces {
  get(file: string, position: number): Buffer | undefined
  /** The bytes at a position were read; they are copied when that was so before. */
  note(file: string, position: number, bytes: Buffer): void
}

export function createPieces(): Pieces {
  const kept = new LRUCache<string, Buffer>({ maxSize: MAX_BYTES, sizeCalculation: ({ length }) => length })
  const readOnce = new LRUCache<string, true>({ max: MAX_REMEMBERED })
  return {
    get: (file, position) => kept.get(keyOf(file, position)),
    note(file, position, bytes) {
      const key = keyOf(file, position)
      if (readOnce.delete(key)) kept.set(key, Buffer.copyBytesFrom(bytes))
      else readOnce.set(key, true)
    },
  }
}

function keyOf(file: string, position: number): string {
  return `${file} ${position}`
}
