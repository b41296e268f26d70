import type { FileHandle } from 'node:fs/promises'
import { LRUCache } from 'lru-cache'
import { openUnnamed, writeAt } from './unnamed-file.ts'

/** Up to this size everything stays in memory. */
const MAX_IN_MEMORY = 1024 * 1024
/** Most crates are smaller than this; copies of larger ones would be much memory when many come at once. */
const MAX_WHOLE = 256 * 1024
/** Read from the file at a time. */
const PIECE = 64 * 1024
/** So many pieces are kept for those who come soon after: as much as there was in memory before there was a file. */
const MAX_PIECES = MAX_IN_MEMORY / PIECE

/** Bytes that are appended, and meanwhile read by many: in memory as long as they are few, then in a temporary file. */
export interface GrowingBytes {
  size(): number
  /** The chunk is kept as it is: nobody may write into it any more. */
  append(chunk: Buffer): Promise<void>
  /**
   * Some of the bytes from `position` up to `end`, none when these are none. Whoever reads the same place at about the
   * same time gets the same memory, so that a crowd costs one look at the file: nobody may write into it.
   */
  read(position: number, end: number): Promise<Buffer>
  /** All of them in one piece of memory of its own, as long as they are few. */
  whole(): Buffer | undefined
  /** Gives memory and disk back. */
  close(): Promise<void>
}

export function createGrowingBytes(): GrowingBytes {
  const pieces = new LRUCache<number, Piece>({ max: MAX_PIECES })
  let memory: Buffer[] = []
  let file: FileHandle | undefined
  let size = 0

  /** A piece of the file that goes beyond `position`, and to `end` at most. */
  function pieceAt(opened: FileHandle, position: number, end: number): Piece {
    const number = Math.floor(position / PIECE)
    const start = number * PIECE
    const known = pieces.get(number)
    if (known !== undefined && start + known.size > position) return known
    const piece: Piece = { start, ...readPiece(opened, start, Math.min(PIECE, end - start)) }
    pieces.set(number, piece)
    // Whoever comes next tries again.
    piece.bytes.catch(() => pieces.peek(number) === piece && pieces.delete(number))
    return piece
  }

  return {
    size: () => size,
    async append(chunk) {
      if (file === undefined && size + chunk.length > MAX_IN_MEMORY) {
        const opened = await openUnnamed('crate')
        await writeAt(opened, Buffer.concat(memory), 0)
        file = opened
        memory = []
      }
      if (file === undefined) memory.push(chunk)
      else await writeAt(file, chunk, size)
      size += chunk.length
    },
    async read(position, end) {
      if (end <= position) return Buffer.alloc(0)
      if (file === undefined) return sliceOf(memory, position, end)
      const { start, bytes } = pieceAt(file, position, end)
      return (await bytes).subarray(position - start, end - start)
    },
    whole: () => (size <= MAX_WHOLE ? Buffer.concat(memory) : undefined),
    async close() {
      memory = []
      pieces.clear()
      await file?.close()
    },
  }
}

/** A part of the file, as far as it was there when it was read. */
interface Piece {
  readonly start: number
  readonly size: number
  readonly bytes: Promise<Buffer>
}

function readPiece(file: FileHandle, start: number, size: number): Pick<Piece, 'size' | 'bytes'> {
  const read = async () => {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(size), 0, size, start)
    return buffer.subarray(0, bytesRead)
  }
  return { size, bytes: read() }
}

function sliceOf(chunks: readonly Buffer[], position: number, end: number): Buffer {
  let start = 0
  for (const chunk of chunks) {
    if (position < start + chunk.length) return chunk.subarray(position - start, end - start)
    start += chunk.length
  }
  return Buffer.alloc(0)
}
