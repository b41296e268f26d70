import { Transform, type TransformCallback } from 'node:stream'
import { crc32, createInflateRaw } from 'node:zlib'
import { gzipHeaderLength } from './gzip-header.ts'
import { malformedTarball } from './tar-header.ts'

/** CRC-32 and size of the content. */
const TRAILER_BYTES = 8
/**
 * Larger chunks mean fewer trips to the thread pool, but pile up as garbage before it is collected: with 64 KiB a bomb
 * takes half the time, and up to 57 MiB instead of 12 (`npm run bar -- bombs`).
 */
const INFLATE_CHUNK_BYTES = 16 * 1024

interface Frame {
  readonly stream: Transform
  /** How many deflate bytes went out. */
  passed(): number
  /** The last eight bytes of the file, once it has ended. */
  trailer(): Buffer
}

/**
 * The stages of a pipeline that decompresses exactly one gzip member. zlib's own gunzip also takes further members and bytes
 * after the last, where cargo's reader stops at the first: two readers would see two archives in one file.
 * They fail with `invalid_tarball`; zlib's own errors have a code that starts with `Z_`.
 */
export function gunzipStages(): readonly Transform[] {
  const frame = gzipFrame()
  const inflate = createInflateRaw({ chunkSize: INFLATE_CHUNK_BYTES })
  let size = 0
  let sum = 0
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length
      sum = crc32(chunk, sum)
      done(null, chunk)
    },
    flush(done) {
      attempt(done, () => {
        if (inflate.bytesWritten !== frame.passed())
          throw malformedTarball('data after the end of the gzip stream')
        const trailer = frame.trailer()
        if (trailer.readUInt32LE(0) !== sum || trailer.readUInt32LE(4) !== size % 2 ** 32) {
          throw malformedTarball('wrong gzip checksum')
        }
        return undefined
      })
    },
  })
  return [frame.stream, inflate, check]
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
