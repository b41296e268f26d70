import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { CargoError, isSystemError } from '../errors.ts'
import { createGrowingBytes } from './growing-bytes.ts'
import { HELD_BACK } from './hold-back.ts'
import type { Places } from './places.ts'

/** Everybody in a crowd gets so much before anybody gets more. */
const FIRST_PIECE = 16 * 1024

/** What a filling ends with. */
export interface Filled {
  /** Bytes. */
  readonly size: number
  /** The verified bytes, at once or past the crowd; may be called until `release()`. */
  content(): Uint8Array | Readable
}

/** Bytes, a piece at a time. */
export interface Pieces {
  /** Waits for the next ones; `undefined` after the last. To be called when the one before has been answered. */
  next(): Promise<Buffer | undefined>
  /** To be called once, whether all were taken or not. */
  close(): void
}

/**
 * A crate on its way in, read by any number of clients while it grows. Each reads at its own pace; one that leaves
 * disturbs nobody. All but the last 64 KiB can be read before the checksum is known.
 */
export interface Filling {
  /** The bytes as they come; fails where the source fails, or before the end when the checksum is wrong. */
  reader(): Readable
  /** The same, for whoever takes them one by one: a stream for each of a crowd is most of the work. */
  pieces(): Pieces
  /** When all bytes are there and have the checksum. */
  readonly filled: Promise<Filled>
  /** Resolves when at least one byte may be read, or all is there; rejects when it failed before that. */
  readonly begun: Promise<void>
  /** Somebody is about to read. */
  hold(): void
  /** Of what is held; it is to begin with. Memory and disk are given back when the last reader is gone. */
  release(): void
}

export interface FillingSpec {
  /** What the source is to have, 64 lower-case hex digits. */
  readonly sha256: string
  /** Most that the source may have. */
  readonly maxBytes: number
  /** What it says that it has, in bytes: the end is then known from the beginning. */
  readonly announced?: number | undefined
  /** For the readers of this one and of all others. */
  readonly places: Places
}

/** Takes in `source`, and lets go of it when it is too large. */
export function createFilling(
  source: AsyncIterable<Buffer>,
  { sha256, maxBytes, announced, places }: FillingSpec,
): Filling {
  const store = createGrowingBytes()
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
      for await (const chunk of source) {
        if (store.size() + chunk.length > maxBytes) throw tooLarge(maxBytes)
        hash.update(chunk)
        await store.append(chunk)
        tell()
      }
      if (hash.digest('hex') !== sha256) throw wrongChecksum(sha256)
      verified = true
      return { size: store.size(), content: () => store.whole() ?? open(atOnce) }
    } catch (error) {
      failure = isSystemError(error, 'ENOSPC') ? noSpace(error) : error
      throw failure
    } finally {
      tell()
    }
  }

  function readable(): number {
    const here = store.size()
    if (verified) return here
    return Math.max(0, Math.min(here, (announced ?? here) - HELD_BACK))
  }

  async function* read(nextPlace: () => Promise<void>): AsyncGenerator<Buffer> {
    for (let position = 0; ; ) {
      // Taken before looking: what comes while this reads must not be waited for again.
      const { promise: more } = progress
      // Who was promised bytes gets some even so: an answer that has not begun cannot be cut short.
      if (failure !== undefined && position > 0) throw failure
      if (verified && position === store.size()) return
      if (position > 0) await nextPlace()
      const end = readable()
      const chunk = await store.read(position, position > 0 ? end : Math.min(FIRST_PIECE, end))
      position += chunk.length
      if (chunk.length > 0) yield chunk
      else if (failure !== undefined) throw failure
      else if (!verified) await more
    }
  }

  function drop(): void {
    held -= 1
    if (held === 0) void store.close()
  }

  function hold(): void {
    held += 1
  }

  function open(nextPlace: () => Promise<void>): Readable {
    hold()
    return Readable.from(read(nextPlace), { objectMode: false }).once('close', drop)
  }

  function pieces(): Pieces {
    hold()
    const bytes = read(places.take)
    const next = async () => {
      const { done, value } = await bytes.next()
      return done ? undefined : value
    }
    return { next, close: drop }
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
  return { reader: () => open(places.take), pieces, filled, begun, hold, release: drop }
}

async function atOnce(): Promise<void> {}

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
