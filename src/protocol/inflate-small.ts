import { crc32, inflateRaw } from 'node:zlib'
import { gzipHeaderLength } from './gzip-header.ts'

/** CRC-32 and size of the content. */
const TRAILER_BYTES = 8
/** What unpacks to more is better read as it comes. */
const MAX_SMALL = 1024 * 1024

/**
 * The content of a gzip file of one member that says itself that it is small, and is all that it says. `undefined` for
 * any other: whoever reads it piece by piece finds what is wrong with it. Streams cost more than the work that they do
 * for a small file.
 * @throws {CargoError} `invalid_tarball` when it is no gzip file at all
 */
export async function inflateSmall(file: Buffer): Promise<Buffer | undefined> {
  if (file.length > MAX_SMALL || file.length < TRAILER_BYTES) return undefined
  const end = file.length - TRAILER_BYTES
  const size = file.readUInt32LE(end + 4)
  const start = gzipHeaderLength(file)
  if (size > MAX_SMALL || start === undefined || start > end) return undefined
  const packed = file.subarray(start, end)
  const content = await inflateAll(packed, size)
  return content?.length === size && crc32(content) === file.readUInt32LE(end) ? content : undefined
}

/** `undefined` as well when there is more after the end of the content, or more content. */
function inflateAll(packed: Buffer, size: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    // One byte more, or a piece that is just full would be followed by an empty one.
    const options = { info: true, maxOutputLength: Math.max(size, 1), chunkSize: Math.max(64, size + 1) }
    inflateRaw(packed, options, (error, result) => {
      if (error !== null) return resolve(undefined)
      const { buffer, engine } = result as unknown as Inflated
      resolve(engine.bytesWritten === packed.length ? buffer : undefined)
    })
  })
}

/** What `info` gives, of which the types do not know. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}
