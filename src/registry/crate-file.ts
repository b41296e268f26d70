import type { Readable } from 'node:stream'
import { CargoError } from '../errors.ts'
import type { ByteRange, Logger } from '../host.ts'
import { unknownVersion } from '../protocol/decide.ts'
import { type CrateRecord, findVersion } from '../protocol/record.ts'
import type { Version } from '../protocol/version.ts'
import type { Blobs } from './blobs.ts'

/** A `.crate` file that can be had. */
export interface CrateFile {
  /** Bytes; `undefined` as long as it is not here. */
  readonly size: number | undefined
  readonly modified: Date | undefined
  /** SHA-256, 64 lower-case hex digits. */
  readonly cksum: string
  /** Its bytes, verified; a range only of a file whose size is known. */
  open(range?: ByteRange): Promise<CrateBody>
  /** Where a client gets it from the store itself, for a minute; absent: here only. */
  address?(filename: string): Promise<string>
}

/** A file that somebody downloads. */
export interface Download extends CrateFile {
  /** To be told once what was asked for was completely sent: the whole file, or a range of it. */
  sent(whole: boolean): void
}

export interface CrateBody {
  /** Bytes of the whole file, if they are known by now. */
  readonly size: number | undefined
  /** Must be consumed or destroyed. */
  readonly body: Readable
}

/** The file that is stored under a checksum; `missing` makes the failure for one that vanishes. */
export async function storedFile(
  blobs: Blobs,
  cksum: string,
  missing: () => Error,
): Promise<CrateFile | undefined> {
  const info = await blobs.stat(cksum)
  if (info === undefined) return undefined
  const { address } = blobs
  return {
    ...info,
    cksum,
    // What is known to be damaged is refused here.
    ...(address && !blobs.isDamaged(cksum) && { address: (filename) => address(cksum, filename) }),
    async open(range) {
      const blob = await blobs.get(cksum, range)
      if (blob === undefined) throw missing()
      return blob
    },
  }
}

/**
 * The file of a local crate's version.
 * @throws {CargoError} `not_found` for any spelling but the published one; `unavailable`, and an entry in the log, when
 * the file is not where it must be
 */
export async function hostedFile(
  { blobs, logger }: { readonly blobs: Blobs; readonly logger: Logger },
  record: CrateRecord,
  version: Version,
): Promise<CrateFile> {
  const { name } = record
  const found = findVersion(record, version)
  if (found === undefined || found.entry.vers !== version) throw unknownVersion(name, version)
  const { cksum } = found.entry
  const missing = () => {
    logger.error({ crate: name, version, cksum }, 'integrity: the file of a published version is missing')
    return new CargoError(
      'unavailable',
      `the file of \`${name}@${version}\` is missing in storage, the operator has been told`,
    )
  }
  const file = await storedFile(blobs, cksum, missing)
  if (file === undefined) throw missing()
  return file
}
