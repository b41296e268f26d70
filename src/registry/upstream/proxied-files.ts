import { CargoError } from '../../errors.ts'
import type { Blobs } from '../blobs.ts'
import { type CrateBody, type CrateFile, storedFile } from '../crate-file.ts'
import { singleFlight } from '../single-flight.ts'
import type { CrateFetches } from './crate-fetches.ts'
import type { ProxiedVersion } from './proxied.ts'

/** The `.crate` file of an uplink's version: what is stored, or what the uplink sends. */
export type ProxiedFiles = (version: ProxiedVersion) => Promise<CrateFile>

export interface ProxiedFilesDeps {
  readonly blobs: Blobs
  readonly fetches: CrateFetches
}

export function createProxiedFiles({ blobs, fetches }: ProxiedFilesDeps): ProxiedFiles {
  /** A crowd looks into the store once, or not at all where somebody fetches already. */
  const looks = singleFlight<CrateFile | undefined>()

  async function stored({ entry }: ProxiedVersion): Promise<CrateFile | undefined> {
    const { cksum } = entry
    if (fetches.isFetching(cksum)) return undefined
    const missing = () =>
      new CargoError('unavailable', `the stored file of \`${entry.name}\` has just vanished`)
    const file = await looks.run(`${entry.name} ${cksum}`, () => storedFile(blobs, cksum, missing))
    return blobs.isDamaged(cksum) ? undefined : file
  }

  return async (version) => {
    const { crate, entry } = version
    const { cksum } = entry
    const fetched = async (): Promise<CrateBody> => {
      const fetch = await fetches.fetch(crate.uplink, entry)
      return { size: fetch.size, body: fetch.open() }
    }
    const file = await stored(version)
    if (file === undefined) return { size: undefined, modified: undefined, cksum, open: fetched }
    return {
      ...file,
      async open(range) {
        try {
          return await file.open(range)
        } catch (error) {
          // The uplink still has what was damaged here; a part of it is not worth the trouble.
          if (range !== undefined || !blobs.isDamaged(cksum)) throw error
          return fetched()
        }
      },
    }
  }
}
