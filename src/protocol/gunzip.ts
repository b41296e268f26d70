import { Readable, Transform, type TransformCallback, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32, createInflateRaw } from 'node:zlib'
import { gzipHeaderLength } from './gzip-header.ts'
import { inflateSmall } from './inflate-small.ts'
import { malformedTarball } from './tar-header.ts'

/** CRC-32 and size of the content. */
const TRAILER_BYTES = 8
/** Each costs a trip to the thread pool, which takes longer than inflating it; larger ones than these gain little more. */
const PIECE_BYTES = 64 * 1024

interface Frame {
  readonly stream: Transform
  /** How many deflate bytes went out. */
  passed(): number
  /** The last eight bytes of the file, once it has ended. */
  trailer(): Buffer
}

/** Takes a decompressed content; a piece must not be kept: its memory is given back as soon as `read` returns. */
export interface PieceReader {
  read(piece: Buffer): void
  /** The content has come to its end, and is what the checksum says. */
  end(): void
}

/**
 * Decompresses exactly one gzip member. zlib's own gunzip also takes further members and bytes after the last, where cargo's
 * reader stops at the first: two readers would see two archives in one file. Destroys a stream in the end.
 * @throws {CargoError} `invalid_tarball`; errors of `source` and of `reader` as they are
 */
export async function gunzip(source: Buffer | Readable, reader: PieceReader): Promise<void> {
  if (source instanceof Readable) return gunzipStream(source, reader)
  const content = await inflateSmall(source)
  if (content === undefined) return gunzipStream(Readable.from([source], { objectMode: false }), reader)
  reader.read(content)
  reader.end()
}

async function gunzipStream(source: Readable, reader: PieceReader): Promise<void> {
  const frame = gzipFrame()
  const inflate = createInflateRaw({ chunkSize: PIECE_BYTES })
  let size = 0
  let sum = 0
  let last: Buffer | undefined
  const sink = new Writable({
    // Never full, as it takes each piece at once: to pause would only cost turns.
    highWaterMark: Number.MAX_SAFE_INTEGER,
    write(piece: Buffer, _encoding, done) {
      attempt(done, () => {
        size += piece.length
        sum = crc32(piece, sum)
        reader.read(piece)
        last = piece
        if (isFull(piece)) release(piece)
        return undefined
      })
    },
    final(done) {
      attempt(done, () => {
        if (inflate.bytesWritten !== frame.passed())
          throw malformedTarball('data after the end of the gzip stream')
        const trailer = frame.trailer()
        if (trailer.readUInt32LE(0) !== sum || trailer.readUInt32LE(4) !== size % 2 ** 32) {
          throw malformedTarball('wrong gzip checksum')
        }
        reader.end()
        return undefined
      })
    },
  })
  try {
    await pipeline(source, frame.stream, inflate, sink)
  } catch (error) {
    throw isZlibError(error) ? malformedTarball('bad gzip data', error) : error
  }
  if (last !== undefined) release(last)
}

/** Takes the deflate stream out of a gzip file. */
function gzipFrame(): Frame {
  let header: Buffer | undefined = Buffer.alloc(0)
  let held = Buffer.alloc(0)
  let passed = 0

  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      attempt(done, () => afterHeader(chunk))
    },
    flush(done) {
      attempt(done, () => {
        if (header !== undefined || held.length < TRAILER_BYTES)
          throw malformedTarball('gzip data ends early')
        return undefined
      })
    },
  })
  return { stream, passed: () => passed, trailer: () => held }

  function afterHeader(chunk: Buffer): Buffer | undefined {
    if (header === undefined) return holdTrailer(chunk)
    header = Buffer.concat([header, chunk])
    const length = gzipHeaderLength(header)
    if (length === undefined) return undefined
    const rest = header.subarray(length)
    header = undefined
    return holdTrailer(rest)
  }

  function holdTrailer(bytes: Buffer): Buffer | undefined {
    if (bytes.length < TRAILER_BYTES) return holdFew(bytes)
    const cut = bytes.length - TRAILER_BYTES
    passed += held.length + cut
    // Passed on by itself: to copy both into one costs as much memory as the file has bytes.
    if (held.length > 0) stream.push(held)
    held = Buffer.from(bytes.subarray(cut))
    return cut === 0 ? undefined : bytes.subarray(0, cut)
  }

  function holdFew(bytes: Buffer): Buffer | undefined {
    const all = Buffer.concat([held, bytes])
    const cut = Math.max(0, all.length - TRAILER_BYTES)
    held = all.subarray(cut)
    passed += cut
    return cut === 0 ? undefined : all.subarray(0, cut)
  }
}

function attempt(done: TransformCallback, produce: () => Buffer | undefined): void {
  let bytes: Buffer | undefined
  try {
    bytes = produce()
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)))
    return
  }
  done(null, bytes)
}

/** Whether zlib, which fills a buffer with pieces from its start to its end, has no more use for that of `piece`. */
function isFull({ byteOffset, byteLength }: Buffer): boolean {
  return byteOffset + byteLength === PIECE_BYTES
}

/**
 * Gives memory back that would otherwise wait for a collection, of which a bomb could fill a hundred times what is in use:
 * reused while it is in the processor's cache, it is faster as well. Not so a piece of the pool that small buffers share.
 */
function release({ buffer }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === PIECE_BYTES) buffer.transfer(0)
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')
}
