import { LRUCache } from 'lru-cache'
import type { UpstreamCopy } from '../../protocol/upstream-copy.ts'
import type { Uplink } from '../../uplinks/uplink.ts'
import { singleFlight } from '../single-flight.ts'
import type { CopyStore } from './copy-store.ts'

/** Memory for copies: a body, its packed form, and what is held of each version, which has a line of some size. */
const MAX_MEMORY = 192 * 1024 * 1024
const BYTES_PER_BYTE = 2
const MAX_ABSENT = 50_000

/** A copy and how much it is worth; times are on the monotonic clock. */
export interface Known {
  readonly copy: UpstreamCopy
  readonly confirmedAt: number
  /** The store did not take it. */
  readonly unstored?: boolean
  /** Why there is no newer one. */
  readonly problem?: string
  /** Not before this is the uplink asked again. */
  readonly pausedUntil?: number
}

/** The copies in use, and the crates that are known to be nowhere. */
export interface CopyMemory {
  /** What is known, here or in the store. */
  load(uplink: Uplink, name: string): Promise<Known | undefined>
  get(uplink: Uplink, name: string): Known | undefined
  set(uplink: Uplink, name: string, known: Known): Known
  /** Takes over what is in the store; how old it is only a clock that may jump can tell. */
  adopt(uplink: Uplink, name: string, copy: UpstreamCopy): Known
  isAbsent(uplink: Uplink, name: string): boolean
  setAbsent(uplink: Uplink, name: string, ms: number): void
}

export interface CopyMemoryDeps {
  readonly store: Pick<CopyStore, 'newest'>
  readonly now: () => Date
  readonly monotonic: () => number
}

export function createCopyMemory({ store, now, monotonic }: CopyMemoryDeps): CopyMemory {
  const copies = new LRUCache<string, Known>({
    maxSize: MAX_MEMORY,
    sizeCalculation: ({ copy }) => BYTES_PER_BYTE * copy.body.length + 1000,
  })
  const absentUntil = new LRUCache<string, number>({ max: MAX_ABSENT })
  const loading = singleFlight<Known | undefined>()

  const get = (uplink: Uplink, name: string) => copies.get(fileKey(uplink, name))

  function set(uplink: Uplink, name: string, known: Known): Known {
    const key = fileKey(uplink, name)
    copies.set(key, known)
    absentUntil.delete(key)
    return known
  }

  function adopt(uplink: Uplink, name: string, copy: UpstreamCopy): Known {
    const known = get(uplink, name)
    // A slow reader must not put an older state over a newer one.
    if (known !== undefined && known.copy.n > copy.n) return known
    const age = Math.max(0, now().getTime() - Date.parse(copy.fetchedAt))
    return set(uplink, name, { copy, confirmedAt: monotonic() - age })
  }

  return {
    async load(uplink, name) {
      return (
        get(uplink, name) ??
        loading.run(fileKey(uplink, name), async () => {
          const copy = await store.newest(uplink.name, name)
          return copy && adopt(uplink, name, copy)
        })
      )
    },
    get,
    set,
    adopt,
    isAbsent: (uplink, name) =>
      (absentUntil.get(fileKey(uplink, name)) ?? Number.NEGATIVE_INFINITY) > monotonic(),
    setAbsent: (uplink, name, ms) => void absentUntil.set(fileKey(uplink, name), monotonic() + ms),
  }
}

/** Names an uplink's index file, in process. */
export function fileKey(uplink: Uplink, name: string): string {
  return `${uplink.name}/${name.toLowerCase()}`
}
