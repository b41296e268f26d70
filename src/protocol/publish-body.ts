import { CargoError } from '../errors.ts'
import { type PublishMetadata, parseMetadata } from './metadata.ts'

const MiB = 1024 * 1024

/** crates.io's limits; a registry may set its own. */
export const MAX_METADATA_BYTES = MiB
export const MAX_CRATE_BYTES = 10 * MiB

/** Bytes of one length field: an unsigned 32-bit integer, little-endian. */
export const LENGTH_BYTES = 4

/** The two parts of a publish request (protocol.md 3.1). */
export interface PublishBody {
  readonly metadata: PublishMetadata
  /** The `.crate` file; a view into the body that was read. */
  readonly crate: Uint8Array
}

/** How many bytes each part may have. */
export interface PublishBodyLimits {
  readonly metadata: number
  readonly crate: number
}

/**
 * Reads a whole publish body.
 * @throws {CargoError} `invalid_body` when it is cut short or goes on after the end, `too_large`, `invalid_metadata`
 */
export function parsePublishBody(
  bytes: Uint8Array,
  limits: PublishBodyLimits = { metadata: MAX_METADATA_BYTES, crate: MAX_CRATE_BYTES },
): PublishBody {
  const metadata = readPart(bytes, 0, limits.metadata, 'metadata')
  const crate = readPart(bytes, LENGTH_BYTES + metadata.length, limits.crate, 'crate file')
  const end = 2 * LENGTH_BYTES + metadata.length + crate.length
  if (end !== bytes.length) {
    throw new CargoError(
      'invalid_body',
      `publish body has \`${bytes.length - end}\` bytes after the crate file: must end there`,
    )
  }
  return { metadata: parseMetadata(metadata), crate }
}

/** The body that cargo sends for `metadata`, an object or its JSON, and the bytes of a `.crate` file. */
export function encodePublishBody(metadata: object, crate: Uint8Array): Buffer {
  const json = metadata instanceof Uint8Array ? metadata : Buffer.from(JSON.stringify(metadata))
  return Buffer.concat([encodeLength(json.length), json, encodeLength(crate.length), crate])
}

/**
 * Reads the length of a part, so that a streaming reader never allocates what a client merely declares.
 * @param what the part's name in errors
 * @throws {CargoError} `invalid_body` for less than four bytes or an empty part, `too_large` beyond `limit` bytes
 */
export function parseLength(bytes: Uint8Array, limit: number, what: string): number {
  if (bytes.length < LENGTH_BYTES) {
    throw new CargoError(
      'invalid_body',
      `publish body ends before the length of the ${what}: must have ${LENGTH_BYTES} bytes for it`,
    )
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getUint32(0, true)
  if (length === 0) throw new CargoError('invalid_body', `${what} has \`0\` bytes: must not be empty`)
  if (length > limit)
    throw new CargoError('too_large', `${what} has \`${length}\` bytes: at most ${limit} are allowed`)
  return length
}

function readPart(bytes: Uint8Array, offset: number, limit: number, what: string): Uint8Array {
  const length = parseLength(bytes.subarray(offset, offset + LENGTH_BYTES), limit, what)
  const start = offset + LENGTH_BYTES
  const part = bytes.subarray(start, start + length)
  if (part.length === length) return part
  throw new CargoError(
    'invalid_body',
    `publish body ends after \`${part.length}\` bytes of the ${what}: must have ${length}`,
  )
}

function encodeLength(length: number): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES)
  bytes.writeUInt32LE(length)
  return bytes
}
