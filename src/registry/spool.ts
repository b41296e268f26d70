import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { CargoError, isSystemError } from '../errors.ts'
import { openUnnamed, writeAt } from './unnamed-file.ts'

/** Crates up to this size are held in memory; most are far smaller, and a temporary file costs more than they do. */
const MAX_IN_MEMORY = 512 * 1024
/** Larger ones would be faster by little, and are thrown away in larger heaps. */
const READ_SIZE = 64 * 1024
/** Back-pressure by bytes; streams of objects would queue sixteen chunks of any size. */
const BYTES = { objectMode: false } as const

/** Bytes on their way in, whose size and checksum are known. */
export interface Spool {
  /** Bytes. */
  readonly size: number
  /** SHA-256, 64 lower-case hex digits. */
  readonly sha256: string
  /** The bytes from their start; may be called again. */
  stream(): Readable
  /** The same at once, when they are in memory. */
  content(): Buffer | Readable
  /** Frees memory and disk. */
  dispose(): Promise<void>
}

/**
 * Takes in all of `source`: in memory while it is small, else in a temporary file that has no name, so that not even
 * a killed process leaves it behind.
 * @throws {CargoError} `storage_full` when the disk of temporary files is full; whatever `source` throws
 */
export async function createSpool(source: AsyncIterable<Uint8Array>): Promise<Spool> {
  const hash = createHash('sha256')
  const pending: Uint8Array[] = []
  let size = 0
  let written = 0
  let file: FileHandle | undefined
  try {
    for await (const chunk of source) {
      hash.update(chunk)
      size += chunk.length
      pending.push(chunk)
      if (size > MAX_IN_MEMORY) {
        file ??= await openUnnamed('crate')
        for (const part of pending.splice(0)) {
          await writeAt(file, part, written)
          written += part.length
        }
      }
    }
  } catch (error) {
    await file?.close()
    throw isSystemError(error, 'ENOSPC')
      ? new CargoError('storage_full', 'the disk for temporary files is full', { cause: error })
      : error
  }
  const sha256 = hash.digest('hex')
  return file ? fileSpool(file, size, sha256) : memorySpool(Buffer.concat(pending), sha256)
}

function memorySpool(bytes: Buffer, sha256: string): Spool {
  // One chunk, as bytes: an iterable of a Buffer would stream its numbers.
  return {
    size: bytes.length,
    sha256,
    stream: () => Readable.from([bytes], BYTES),
    content: () => bytes,
    dispose: async () => {},
  }
}

function fileSpool(file: FileHandle, size: number, sha256: string): Spool {
  const stream = () => Readable.from(readFile(file, size), BYTES)
  return { size, sha256, stream, content: stream, dispose: () => file.close() }
}

async function* readFile(file: FileHandle, size: number): AsyncGenerator<Buffer> {
  for (let position = 0; position < size; ) {
    // Not `allocUnsafe`, of whose memory V8 takes no note before it is much.
    const { bytesRead, buffer } = await file.read(Buffer.alloc(READ_SIZE), 0, READ_SIZE, position)
    if (bytesRead === 0)
      throw new CargoError('internal', 'a temporary file is shorter than what was written to it')
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
