import { CargoError } from '../../errors.ts'
import { differenceOf, type IndexDifference } from '../../protocol/index-difference.ts'
import {
  copyAfter,
  entriesOf,
  type FetchedIndex,
  goneCopy,
  IndexConflictError,
  isGone,
  nextCopy,
  type UpstreamCopy,
} from '../../protocol/upstream-copy.ts'
import type { Uplink } from '../../uplinks/uplink.ts'
import { summarizeCopy } from '../catalogue/entry.ts'
import type { Catalogue } from '../catalogue.ts'
import type { CopyStore } from './copy-store.ts'

/** How the uplink's index file stands to the kept copy of it. */
export type Comparison =
  /** A server takes it over by itself. */
  | { readonly kind: 'follows'; readonly difference: IndexDifference }
  /** A server goes on with the kept copy until somebody decides. */
  | {
      readonly kind: 'conflict'
      readonly detail: string
      readonly difference: IndexDifference
      /** What would be kept. */
      readonly next: UpstreamCopy
    }

/**
 * Asks the uplink afresh for the index file of a crate, and compares it with the kept copy.
 * @throws {CargoError} when the uplink cannot say, or its file is not valid by itself
 */
export async function compareWithUplink(
  uplink: Uplink,
  name: string,
  kept: UpstreamCopy,
  now: Date,
): Promise<Comparison> {
  const answer = await uplink.index(name)
  const fetched = answer.kind === 'changed' ? fetchedOf(answer) : undefined
  const difference = differenceOf(
    isGone(kept) ? [] : entriesOf(name, kept.body),
    fetched === undefined ? [] : entriesOf(name, fetched.body),
  )
  if (fetched === undefined) {
    if (isGone(kept)) return { kind: 'follows', difference }
    return { kind: 'conflict', detail: `crate \`${name}\` is gone`, difference, next: goneCopy(kept, now) }
  }
  const detail = conflictWith(name, kept, fetched, now)
  if (detail === undefined) return { kind: 'follows', difference }
  const next = copyAfter(name, seenWithoutChanged(kept, difference), fetched, now)
  return { kind: 'conflict', detail, difference, next }
}

/**
 * Stores what the uplink has as the next copy: servers take it over when they next renew theirs.
 * @throws {CargoError} `already_exists` when another copy was stored meanwhile
 */
export async function acceptCopy(
  { store, kept }: { readonly store: CopyStore; readonly kept: Pick<Catalogue, 'add'> },
  uplink: string,
  name: string,
  next: UpstreamCopy,
): Promise<void> {
  if (!(await store.add(uplink, name, next))) {
    throw new CargoError('already_exists', `another copy of \`${name}\` was stored meanwhile, look again`)
  }
  kept.add(summarizeCopy(name, next))
}

function fetchedOf({ kind: _, ...fetched }: FetchedIndex & { readonly kind: unknown }): FetchedIndex {
  return fetched
}

function conflictWith(
  name: string,
  kept: UpstreamCopy,
  fetched: FetchedIndex,
  now: Date,
): string | undefined {
  try {
    nextCopy(name, kept, fetched, now)
    return undefined
  } catch (error) {
    if (error instanceof IndexConflictError) return error.message
    throw error
  }
}

/** A version with other bytes is a new one to the rules about young versions. */
function seenWithoutChanged(kept: UpstreamCopy, { changed }: IndexDifference): UpstreamCopy {
  const anew = new Set(changed.map(({ vers }) => vers))
  const firstSeen = Object.entries(kept.firstSeen).filter(([vers]) => !anew.has(vers))
  return { ...kept, firstSeen: Object.fromEntries(firstSeen) }
}
