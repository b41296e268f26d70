import type { Readable } from 'node:stream'
import type { ByteRange } from '../host.ts'
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
  return {
    ...info,
    cksum,
    async open(range) {
      const blob = await blobs.get(cksum, range)
      if (blob === undefined) throw missing()
      return blob
    },
  }
}
