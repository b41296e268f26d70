import { isDeepStrictEqual } from 'node:util'
import type { IndexEntry } from './index-entry.ts'

/** What became of the versions of an index file, each in the order of the file that has them. */
export interface IndexDifference {
  readonly appeared: readonly string[]
  readonly vanished: readonly string[]
  readonly changed: readonly ChangedChecksum[]
  readonly yanked: readonly string[]
  readonly unyanked: readonly string[]
  /** Other fields, such as dependencies, say something else. */
  readonly edited: readonly string[]
}

export interface ChangedChecksum {
  readonly vers: string
  readonly was: string
  readonly is: string
}

/** Compares two states of one crate's index file. */
export function differenceOf(before: readonly IndexEntry[], after: readonly IndexEntry[]): IndexDifference {
  const [old, now] = [byVersion(before), byVersion(after)]
  const both = after.flatMap((is) => {
    const was = old.get(is.vers)
    return was === undefined ? [] : [{ vers: is.vers, was, is }]
  })
  const versions = (list: readonly { readonly vers: string }[]) => list.map(({ vers }) => vers)
  return {
    appeared: versions(after.filter(({ vers }) => !old.has(vers))),
    vanished: versions(before.filter(({ vers }) => !now.has(vers))),
    changed: both
      .filter(({ was, is }) => was.cksum !== is.cksum)
      .map(({ vers, was, is }) => ({ vers, was: was.cksum, is: is.cksum })),
    yanked: versions(both.filter(({ was, is }) => !was.yanked && is.yanked)),
    unyanked: versions(both.filter(({ was, is }) => was.yanked && !is.yanked)),
    edited: versions(both.filter(({ was, is }) => !isDeepStrictEqual(rest(was), rest(is)))),
  }
}

function byVersion(entries: readonly IndexEntry[]): ReadonlyMap<string, IndexEntry> {
  return new Map(entries.map((entry) => [entry.vers, entry]))
}

function rest({ cksum: _, yanked: __, ...others }: IndexEntry) {
  return others
}
