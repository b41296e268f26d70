import { CargoError } from '../errors.ts'
import {
  BLOCK_BYTES,
  isZero,
  malformedTarball,
  parseLongName,
  parsePax,
  parseTarHeader,
  type TarHeader,
} from './tar-header.ts'

/** The longest path that is accepted, in bytes; longer ones cannot be unpacked on most systems. */
export const MAX_PATH_BYTES = 1024

/** More PAX attributes than any packer writes for a file. */
const MAX_PAX_BYTES = 64 * 1024
/** GNU tar fills its last record, 10 KiB, with zeros; other packers have larger records. */
const MAX_END_BYTES = 64 * 1024
/** A tar ends with two blocks of zeros. */
const MIN_END_BYTES = 2 * BLOCK_BYTES

export interface TarLimits {
  /** Bytes of the whole uncompressed archive. */
  readonly maxUnpacked: number
  /** Files and directories. */
  readonly maxEntries: number
}

/** A file or a directory. */
export interface TarEntry {
  readonly isDirectory: boolean
  readonly path: string
  /** Bytes of content. */
  readonly size: number
}

/** The beginning of a content that somebody wants; of a shorter one, all of it. */
export interface WantedContent {
  readonly maxBytes: number
  take(beginning: Buffer): void
}

/** Reads an archive that comes in pieces, of which it keeps no more than copies. */
export interface TarReader {
  /** @throws {CargoError} `invalid_tarball`, or `too_large` as soon as a limit is passed; what a visit throws */
  read(piece: Buffer): void
  /** @throws {CargoError} `invalid_tarball` when the archive is not at its end */
  end(): void
}

/** What the next entry was told by the entry before it. */
interface Extension {
  readonly path?: string
  readonly size?: number
}

/**
 * Reads an uncompressed archive as long as every raw header is beyond doubt: plain files and directories only, right
 * checksums, one place for path and size, a proper end. Not by a library: they are tolerant where cargo may be so in another
 * way, and keep parts of pieces whose memory is given back.
 */
export function tarReader(
  { maxUnpacked, maxEntries }: TarLimits,
  visit: (entry: TarEntry) => WantedContent | undefined,
): TarReader {
  /** Bytes of the archive that came, and those up to the end of what is gathered. */
  let total = 0
  let position = 0
  let entries = 0
  /** A header or a content of which a part is still to come, and who gets it then. */
  let gathered = Buffer.alloc(0)
  let missing = BLOCK_BYTES
  let use = takeBlock
  let skip = 0
  let extension: Extension | undefined
  let endBytes = 0

  return { read, end }

  function read(piece: Buffer): void {
    total += piece.length
    refuseOver(total)
    for (let at = 0; at < piece.length; ) {
      if (endBytes > 0) {
        takeEnd(piece.subarray(at))
        return
      }
      if (skip > 0) {
        const skipped = Math.min(skip, piece.length - at)
        skip -= skipped
        at += skipped
        continue
      }
      const part = piece.subarray(at, at + missing)
      at += part.length
      missing -= part.length
      position = total - piece.length + at
      gathered = Buffer.concat([gathered, part])
      if (missing === 0) useGathered()
    }
  }

  function end(): void {
    if (endBytes < MIN_END_BYTES || endBytes % BLOCK_BYTES !== 0) throw malformedTarball('archive ends early')
  }

  function gather(bytes: number, then: (whole: Buffer) => void): void {
    gathered = Buffer.alloc(0)
    missing = bytes
    use = then
  }

  function useGathered(): void {
    const [whole, then] = [gathered, use]
    gather(BLOCK_BYTES, takeBlock)
    then(whole)
  }

  function takeBlock(block: Buffer): void {
    if (isZero(block)) startEnd()
    else takeHeader(parseTarHeader(block))
  }

  function takeHeader(header: TarHeader): void {
    const { kind, size } = header
    if (kind === 'file' || kind === 'directory') {
      takeEntry(header)
      return
    }
    // two names for one entry are read differently by different readers
    if (extension !== undefined) throw malformedTarball('more than one extension of an entry')
    if (size > (kind === 'pax' ? MAX_PAX_BYTES : MAX_PATH_BYTES + 1))
      throw malformedTarball(`${kind} of ${size} bytes is too long`)
    if (size === 0) throw malformedTarball(`empty ${kind}`)
    gather(padded(size), (whole) => {
      const content = whole.subarray(0, size)
      extension = kind === 'pax' ? paxExtension(parsePax(content)) : { path: parseLongName(content) }
    })
  }

  function takeEntry({ kind, path, size }: TarHeader): void {
    entries += 1
    if (entries > maxEntries) throw new CargoError('too_large', `tarball has over ${maxEntries} entries`)
    if (extension?.size !== undefined && extension.size !== size) {
      throw malformedTarball(`PAX size ${extension.size} is not the header's ${size}: \`${path}\``)
    }
    refuseOver(position + size)
    const content = visit({ isDirectory: kind === 'directory', path: extension?.path ?? path, size })
    extension = undefined
    const length = Math.min(size, content?.maxBytes ?? 0)
    gather(length, (beginning) => {
      skip = padded(size) - length
      content?.take(beginning)
    })
  }

  function startEnd(): void {
    if (extension !== undefined) throw malformedTarball('extension without an entry')
    endBytes = BLOCK_BYTES
  }

  function takeEnd(bytes: Buffer): void {
    if (!isZero(bytes)) throw malformedTarball('data after the end of the archive')
    endBytes += bytes.length
    if (endBytes > MAX_END_BYTES) throw malformedTarball(`over ${MAX_END_BYTES} bytes of padding`)
  }

  function refuseOver(bytes: number): void {
    if (bytes > maxUnpacked) throw new CargoError('too_large', `tarball unpacks to over ${maxUnpacked} bytes`)
  }
}

function paxExtension(records: ReadonlyMap<string, string>): Extension {
  const path = records.get('path')
  const size = records.get('size')
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw malformedTarball(`bad PAX size \`${size}\``)
  return { ...(path !== undefined && { path }), ...(size !== undefined && { size: Number(size) }) }
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES
}
