import { CargoError } from '../errors.ts'

/** Bytes of a tar header; contents are padded to a multiple of it. */
export const BLOCK_BYTES = 512

/** What an entry is: a file, a directory, or words about the next entry (GNU long name, PAX attributes). */
export type TarKind = 'file' | 'directory' | 'long-name' | 'pax'

/** The fields of a tar header that matter to a registry. */
export interface TarHeader {
  readonly kind: TarKind
  readonly path: string
  /** Bytes of content. */
  readonly size: number
}

const KINDS: ReadonlyMap<string, TarKind> = new Map([
  ['\0', 'file'],
  ['0', 'file'],
  ['5', 'directory'],
  ['L', 'long-name'],
  ['x', 'pax'],
])

const OTHER_KINDS: ReadonlyMap<string, string> = new Map([
  ['1', 'hard link'],
  ['2', 'symbolic link'],
  ['3', 'character device'],
  ['4', 'block device'],
  ['6', 'fifo'],
  ['7', 'contiguous file'],
  ['S', 'sparse file'],
  ['K', 'long link name'],
  ['g', 'global attributes'],
])

const POSIX_MAGIC = 'ustar\x0000'
const GNU_MAGIC = 'ustar  \0'
const OCTAL = /^ *([0-7]+)[ \0]*$/
const CHECKSUM_AT = 148
const CHECKSUM_END = 156

/**
 * Reads one header, without the tolerance of usual tar readers: whatever two of them might read differently is refused.
 * @throws {CargoError} `invalid_tarball`
 */
export function parseTarHeader(block: Buffer): TarHeader {
  if (readOctal(block, CHECKSUM_AT, CHECKSUM_END, 'checksum') !== checksum(block)) {
    throw malformedTarball('wrong header checksum')
  }
  const magic = block.toString('latin1', 257, 265)
  if (magic !== POSIX_MAGIC && magic !== GNU_MAGIC)
    throw malformedTarball('neither a POSIX nor a GNU tar header')
  const path = readPath(block, magic)
  const typeflag = block.toString('latin1', 156, 157)
  const kind = KINDS.get(typeflag)
  if (kind === undefined) {
    const what = OTHER_KINDS.get(typeflag) ?? `type ${JSON.stringify(typeflag)}`
    throw new CargoError(
      'invalid_tarball',
      `unexpected ${what} in tarball: \`${path}\`: only files and directories may be in it`,
    )
  }
  const size = readOctal(block, 124, 136, 'size')
  if (kind === 'directory' && size !== 0) throw malformedTarball(`directory with content: \`${path}\``)
  return { kind, path, size }
}

/** Whether a block is one of the zero blocks that end an archive. */
export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

/**
 * Reads the name in the content of a GNU long name entry.
 * @throws {CargoError} `invalid_tarball`
 */
export function parseLongName(content: Buffer): string {
  return decodePath(content.at(-1) === 0 ? content.subarray(0, -1) : content)
}

/**
 * Reads the `length key=value` records of PAX attributes.
 * @throws {CargoError} `invalid_tarball` for a malformed, repeated, or sparse-file record
 */
export function parsePax(content: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(' ', at)
    const digits = content.toString('latin1', at, space)
    const end = at + (/^[1-9]\d{0,6}$/.test(digits) ? Number(digits) : 0)
    const equals = content.indexOf('=', space)
    if (
      space === -1 ||
      end > content.length ||
      content[end - 1] !== 0x0a ||
      equals <= space + 1 ||
      equals >= end
    ) {
      throw malformedTarball('bad PAX record')
    }
    const key = decodePath(content.subarray(space + 1, equals))
    if (records.has(key) || key.startsWith('GNU.sparse.'))
      throw malformedTarball(`bad PAX record: \`${key}\``)
    const value = content.subarray(equals + 1, end - 1)
    // readers disagree on an empty path: none at all, or that of the header
    if (key === 'path' && value.length === 0) throw malformedTarball('empty PAX path')
    records.set(key, key === 'path' ? decodePath(value) : value.toString('latin1'))
    at = end
  }
  return records
}

/** The error for bytes that are no tarball as cargo makes them. */
export function malformedTarball(what: string, cause?: unknown): CargoError {
  return new CargoError('invalid_tarball', `tarball is malformed: ${what}`, { cause })
}

function readPath(block: Buffer, magic: string): string {
  const name = readField(block, 0, 100)
  // GNU headers keep other things where POSIX has the prefix
  const prefix = magic === POSIX_MAGIC ? readField(block, 345, 500) : ''
  return prefix === '' ? name : `${prefix}/${name}`
}

function readField(block: Buffer, start: number, end: number): string {
  const field = block.subarray(start, end)
  const nul = field.indexOf(0)
  if (nul === -1) return decodePath(field)
  // the reader stops at the first NUL, whatever comes after it
  const last = field.findLastIndex((byte) => byte !== 0)
  return decodePath(field.subarray(0, Math.max(nul, last + 1)))
}

function decodePath(bytes: Buffer): string {
  if (bytes.includes(0))
    throw malformedTarball(`path with a NUL: \`${bytes.toString().replaceAll('\0', '\\0')}\``)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw malformedTarball(`path is not UTF-8: \`${bytes.toString()}\``, cause)
  }
}

function readOctal(block: Buffer, start: number, end: number, field: string): number {
  const digits = OCTAL.exec(block.toString('latin1', start, end))?.[1]
  if (digits === undefined) throw malformedTarball(`bad ${field} in a header`)
  return Number.parseInt(digits, 8)
}

/** The sum of all bytes, those of the checksum itself taken as spaces. */
function checksum(block: Buffer): number {
  let sum = 0x20 * (CHECKSUM_END - CHECKSUM_AT)
  for (let at = 0; at < BLOCK_BYTES; at += 1) {
    if (at < CHECKSUM_AT || at >= CHECKSUM_END) sum += block[at] ?? 0
  }
  return sum
}
