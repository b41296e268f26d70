import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { CargoError, isSystemError } from '../errors.ts'
import { openUnnamed, writeAt } from './unnamed-file.ts'

/** Crates up to this size stay in memory. */
const MAX_IN_MEMORY = 1024 * 1024
/** So much is held back until the checksum agrees: a client can never complete a wrong body. */
const HELD_BACK = 64 * 1024
/** For each of many readers. */
const READ_SIZE = 64 * 1024

/** What a filling ends with. */
export interface Filled {
  /** Bytes. */
  readonly size: number
  /** The verified bytes from their start; may be called until `release()`. */
  stream(): Readable
}

/**
 * A crate on its way in, read by any number of clients while it grows. Each reads at its own pace; one that leaves
 * disturbs nobody. All but the last 64 KiB can be read before the checksum is known.
 */
export interface Filling {
  /** The bytes as they come; fails where the source fails, or before the end when the checksum is wrong. */
  reader(): Readable
  /** When all bytes are there and have the checksum. */
  readonly filled: Promise<Filled>
  /** Resolves when at least one byte may be read, or all is there; rejects when it failed before that. */
  readonly begun: Promise<void>
  /** Memory and disk are given back when the last reader is gone. */
  release(): void
}

/** Takes in `source`, of at most `maxBytes` bytes, whose SHA-256 is to be `sha256`. */
export function createFilling(source: Readable, sha256: string, maxBytes: number): Filling {
  const store = createStore()
  const hash = createHash('sha256')
  let failure: unknown
  let verified = false
  let held = 1
  let progress = Promise.withResolvers<void>()

  function tell(): void {
    progress.resolve()
    progress = Promise.withResolvers<void>()
  }

  async function take(): Promise<Filled> {
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        if (store.size() + chunk.length > maxBytes) throw tooLarge(maxBytes)
        hash.update(chunk)
        await store.append(chunk)
        tell()
      }
      if (hash.digest('hex') !== sha256) throw wrongChecksum(sha256)
      verified = true
      return { size: store.size(), stream: reader }
    } catch (error) {
      failure = isSystemError(error, 'ENOSPC') ? noSpace(error) : error
      throw failure
    } finally {
      tell()
    }
  }

  const readable = () => (verified ? store.size() : Math.max(0, store.size() - HELD_BACK))

  async function* read(): AsyncGenerator<Buffer> {
    for (let position = 0; ; ) {
      // Taken before looking: what comes while this reads must not be waited for again.
      const { promise: more } = progress
      // Who was promised bytes gets some even so: an answer that has not begun cannot be cut short.
      if (failure !== undefined && position > 0) throw failure
      const chunk = await store.read(position, Math.min(READ_SIZE, readable() - position))
      position += chunk.length
      if (chunk.length > 0) yield chunk
      else if (failure !== undefined) throw failure
      else if (verified && position === store.size()) return
      else await more
    }
  }

  function drop(): void {
    held -= 1
    if (held === 0) void store.close()
  }

  function reader(): Readable {
    held += 1
    return Readable.from(read(), { objectMode: false }).once('close', drop)
  }

  async function beginning(): Promise<void> {
    while (readable() === 0 && !verified) {
      if (failure !== undefined) throw failure
      await progress.promise
    }
  }

  const filled = take()
  filled.catch(() => {})
  const begun = beginning()
  begun.catch(() => {})
  return { reader, filled, begun, release: drop }
}

/** Bytes that are appended and read by position, in memory until they are many. */
function createStore() {
  let memory: Buffer[] = []
  let file: FileHandle | undefined
  let size = 0
  return {
    size: () => size,
    async append(chunk: Buffer): Promise<void> {
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
    async read(position: number, wanted: number): Promise<Buffer> {
      if (wanted <= 0) return Buffer.alloc(0)
      if (file === undefined) return sliceOf(memory, position, wanted)
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, position)
      return buffer.subarray(0, bytesRead)
    },
    async close(): Promise<void> {
      memory = []
      await file?.close()
    },
  }
}

function sliceOf(chunks: readonly Buffer[], position: number, wanted: number): Buffer {
  let start = 0
  for (const chunk of chunks) {
    if (position < start + chunk.length) return chunk.subarray(position - start, position - start + wanted)
    start += chunk.length
  }
  return Buffer.alloc(0)
}

function tooLarge(maxBytes: number): CargoError {
  return new CargoError('unavailable', `the uplink's crate file is larger than ${maxBytes} bytes`, {
    retryAfter: 60,
  })
}

function noSpace(cause: unknown): CargoError {
  return new CargoError('storage_full', 'the disk for temporary files is full', { cause, retryAfter: 60 })
}

function wrongChecksum(sha256: string): CargoError {
  return new CargoError(
    'checksum_mismatch',
    `the uplink's crate file does not have the checksum \`${sha256}\` of the index`,
  )
}
