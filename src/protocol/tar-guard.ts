import { Transform } from 'node:stream'
import { CargoError } from '../errors.ts'
import {
  BLOCK_BYTES,
  isZero,
  malformedTarball,
  parseLongName,
  parsePax,
  parseTarHeader,
  type TarHeader,
  type TarKind,
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

/** What the next entry was told by the entries before it. */
interface Extension {
  readonly kind: TarKind
  readonly size?: number
}

/**
 * Passes an uncompressed archive on to a tar reader as long as every raw header is beyond doubt: plain files and directories
 * only, right checksums, one place for path and size, a proper end. So the reader's tolerance never matters.
 * Fails with `invalid_tarball`, or `too_large` as soon as a limit is passed.
 */
export function tarGuard(limits: TarLimits): Transform {
  const walk = tarWalk(limits)
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        walk.take(chunk)
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)))
        return
      }
      done(null, chunk)
    },
    flush(done) {
      done(walk.isComplete() ? null : malformedTarball('archive ends early'))
    },
  })
}

function tarWalk({ maxUnpacked, maxEntries }: TarLimits): {
  take(chunk: Buffer): void
  isComplete(): boolean
} {
  /** Bytes of the archive that came, and those up to the end of the block in hand. */
  let total = 0
  let position = 0
  let entries = 0
  /** A header, or the content of an extension, of which a part is still to come. */
  let partial = Buffer.alloc(0)
  let wanted = BLOCK_BYTES
  let skip = 0
  let extending: TarHeader | undefined
  let extension: Extension | undefined
  let endBytes = 0

  return { take, isComplete: () => endBytes >= MIN_END_BYTES && endBytes % BLOCK_BYTES === 0 }

  function take(chunk: Buffer): void {
    total += chunk.length
    refuseOver(total)
    for (let at = 0; at < chunk.length; ) {
      if (endBytes > 0) {
        takeEnd(chunk.subarray(at))
        return
      }
      if (skip > 0) {
        const skipped = Math.min(skip, chunk.length - at)
        skip -= skipped
        at += skipped
        continue
      }
      const part = chunk.subarray(at, at + wanted - partial.length)
      at += part.length
      position = total - chunk.length + at
      partial = Buffer.concat([partial, part])
      if (partial.length === wanted) takeWhole()
    }
  }

  function takeWhole(): void {
    const bytes = partial
    partial = Buffer.alloc(0)
    wanted = BLOCK_BYTES
    if (extending !== undefined) takeExtension(extending, bytes)
    else if (isZero(bytes)) startEnd()
    else takeHeader(parseTarHeader(bytes))
  }

  function takeHeader(header: TarHeader): void {
    const { kind, path, size } = header
    const isExtension = kind === 'long-name' || kind === 'pax'
    if (!isExtension) {
      entries += 1
      if (entries > maxEntries) throw new CargoError('too_large', `tarball has over ${maxEntries} entries`)
      if (extension?.size !== undefined && extension.size !== size) {
        throw malformedTarball(`PAX size ${extension.size} is not the header's ${size}: \`${path}\``)
      }
      extension = undefined
      refuseOver(position + size)
      skip = padded(size)
      return
    }
    // two names for one entry are read differently by different readers
    if (extension !== undefined) throw malformedTarball('more than one extension of an entry')
    if (size > (kind === 'pax' ? MAX_PAX_BYTES : MAX_PATH_BYTES + 1))
      throw malformedTarball(`${kind} of ${size} bytes is too long`)
    if (size === 0) throw malformedTarball(`empty ${kind}`)
    extending = header
    wanted = padded(size)
  }

  function takeExtension({ kind, size }: TarHeader, bytes: Buffer): void {
    const content = bytes.subarray(0, size)
    extending = undefined
    if (kind === 'pax') {
      extension = { kind, ...paxSize(parsePax(content)) }
    } else {
      parseLongName(content)
      extension = { kind }
    }
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

function paxSize(records: ReadonlyMap<string, string>): { size?: number } {
  const size = records.get('size')
  if (size === undefined) return {}
  if (!/^\d{1,15}$/.test(size)) throw malformedTarball(`bad PAX size \`${size}\``)
  return { size: Number(size) }
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES
}
