import { CargoError } from '../../errors.ts'
import type { Blobs } from '../blobs.ts'
import { type CrateBody, type CrateFile, storedFile } from '../crate-file.ts'
import type { CrateFetches } from './crate-fetches.ts'
import type { ProxiedVersion } from './proxied.ts'

/** The `.crate` file of an uplink's version: what is stored, or what the uplink sends. */
export async function proxiedFile(
  { blobs, fetches }: { readonly blobs: Blobs; readonly fetches: CrateFetches },
  { crate: { uplink }, entry }: ProxiedVersion,
): Promise<CrateFile> {
  const { cksum } = entry
  const fetched = async (): Promise<CrateBody> => {
    const fetch = await fetches.fetch(uplink, entry)
    return { size: fetch.size, body: fetch.open() }
  }
  const missing = () =>
    new CargoError('unavailable', `the stored file of \`${entry.name}\` has just vanished`)
  const stored = await storedFile(blobs, cksum, missing)
  if (stored === undefined || blobs.isDamaged(cksum))
    return { size: undefined, modified: undefined, cksum, open: fetched }
  return {
    ...stored,
    async open(range) {
      try {
        return await stored.open(range)
      } catch (error) {
        // The uplink still has what was damaged here; a part of it is not worth the trouble.
        if (range !== undefined || !blobs.isDamaged(cksum)) throw error
        return fetched()
      }
    },
  }
}
