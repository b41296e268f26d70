import { setImmediate as turn } from 'node:timers/promises'
import { CargoError } from '../../errors.ts'
import type { IndexEntry } from '../../protocol/index-entry.ts'
import type { Blobs } from '../blobs.ts'
import { type CrateBody, type CrateFile, storedFile } from '../crate-file.ts'
import type { Soon } from '../soon.ts'
import type { CrateFetch, CrateFetches } from './crate-fetches.ts'
import type { ProxiedVersion } from './proxied.ts'

/** The `.crate` files of uplinks. */
export interface ProxiedFiles {
  /** What is stored of a version, or what the uplink sends. */
  of(version: ProxiedVersion): Promise<CrateFile>
  /**
   * A way to join the fetch of a file that is on its way, as {@link CrateFetches.fetch}; `undefined` when it is not.
   * While somebody looks whether it is stored, that is not known yet.
   */
  joining(version: ProxiedVersion): Soon<JoinFetch | undefined>
  /** Begins to fetch a file that is not stored, or joins who did. */
  fetch(version: ProxiedVersion): ReturnType<JoinFetch>
}

/** @throws {UplinkError | CargoError} as {@link CrateFetches.fetch} */
export type JoinFetch = () => Promise<CrateFetch>

export interface ProxiedFilesDeps {
  readonly blobs: Blobs
  readonly fetches: CrateFetches
}

export function createProxiedFiles({ blobs, fetches }: ProxiedFilesDeps): ProxiedFiles {
  /** A crowd looks into the store once, or not at all where somebody fetches already. */
  const looks = new Map<string, Promise<CrateFile | undefined>>()

  function look(entry: IndexEntry): Promise<CrateFile | undefined> {
    const key = keyOf(entry)
    const running = looks.get(key)
    if (running !== undefined) return running
    const missing = () =>
      new CargoError('unavailable', `the stored file of \`${entry.name}\` has just vanished`)
    const started = storedFile(blobs, entry.cksum, missing)
    looks.set(key, started)
    // Whoever fetches what is not there has begun to by the next turn.
    void Promise.allSettled([started])
      .then(() => turn())
      .then(() => looks.delete(key))
    return started
  }

  async function stored({ entry }: ProxiedVersion): Promise<CrateFile | undefined> {
    const { cksum } = entry
    if (fetches.isFetching(cksum)) return undefined
    const file = await look(entry)
    return blobs.isDamaged(cksum) ? undefined : file
  }

  const fetch = ({ crate, entry }: ProxiedVersion) => fetches.fetch(crate.uplink, entry)

  async function of(version: ProxiedVersion): Promise<CrateFile> {
    const { cksum } = version.entry
    const fetched = async (): Promise<CrateBody> => {
      const { size, open } = await fetch(version)
      return { size, body: open() }
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

  return {
    of,
    fetch,
    joining(version) {
      const { entry } = version
      const { cksum } = entry
      const join = () => fetch(version)
      if (fetches.isFetching(cksum)) return join
      return looks.get(keyOf(entry))?.then(
        (file) => (file === undefined || blobs.isDamaged(cksum) ? join : undefined),
        () => undefined,
      )
    },
  }
}

/** Failures name the crate. */
function keyOf({ name, cksum }: IndexEntry): string {
  return `${name} ${cksum}`
}
