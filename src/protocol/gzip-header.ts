import { malformedTarball } from './tar-header.ts'

const FIXED_BYTES = 10
/** A header is 10 bytes and at most a file name, a comment and extra data; a longer one is no honest one. */
const MAX_BYTES = 1024

const FLAG_HEADER_CRC = 0x02
const FLAG_EXTRA = 0x04
const FLAG_NAME = 0x08
const FLAG_COMMENT = 0x10
const RESERVED_FLAGS = 0xe0

/**
 * The length of the gzip header (RFC 1952) at the start of `bytes`; `undefined` when more bytes are needed to tell.
 * @throws {CargoError} `invalid_tarball` when there is none
 */
export function gzipHeaderLength(bytes: Buffer): number | undefined {
  if (bytes.length >= 3 && bytes.readUIntBE(0, 3) !== 0x1f8b08) throw malformedTarball('not gzip data')
  const length = bytes.length < FIXED_BYTES ? undefined : optionalFieldsEnd(bytes)
  if ((length ?? bytes.length) > MAX_BYTES) throw malformedTarball(`gzip header is over ${MAX_BYTES} bytes`)
  return length
}

function optionalFieldsEnd(bytes: Buffer): number | undefined {
  const flags = bytes.readUInt8(3)
  if ((flags & RESERVED_FLAGS) !== 0) throw malformedTarball('not gzip data')
  let at = FIXED_BYTES
  if ((flags & FLAG_EXTRA) !== 0) {
    if (bytes.length < at + 2) return undefined
    at += 2 + bytes.readUInt16LE(at)
  }
  for (const flag of [FLAG_NAME, FLAG_COMMENT]) {
    if ((flags & flag) === 0) continue
    const end = bytes.indexOf(0, at)
    if (end === -1) return undefined
    at = end + 1
  }
  if ((flags & FLAG_HEADER_CRC) !== 0) at += 2
  return at <= bytes.length ? at : undefined
}
