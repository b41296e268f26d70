import type { AuditEntry } from '../../protocol/audit-entry.ts'
import { type AuditQuery, isWanted } from '../../protocol/audit-query.ts'

/** So many objects are read for one page, and for so long, whether or not they have what is wanted. */
const MAX_OBJECTS = 2000
const MAX_MS = 3000

/** Some of what is wanted. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[]
  /** Where the next page goes on; absent: that is all. A page before the last may be short, or even empty. */
  readonly next?: string
}

/** An object of a trail: its entries, and what `after` is behind each of them. */
export type TrailObject = readonly (readonly [cursor: string, entry: AuditEntry | undefined])[]

/** A page of what a trail has that is wanted; ends early when that is much work. */
export async function pageOf(
  query: AuditQuery,
  trail: AsyncGenerator<TrailObject>,
  monotonic: () => number,
): Promise<AuditPage> {
  const entries: AuditEntry[] = []
  const end = monotonic() + MAX_MS
  let objects = 0
  // Leaving the loop ends the generator.
  for await (const object of trail) {
    for (const [next, entry] of object) {
      if (entry !== undefined && isWanted(query, entry)) entries.push(entry)
      if (entries.length >= query.perPage) return { entries, next }
    }
    objects += 1
    const next = object.at(-1)?.[0]
    if (next !== undefined && (objects >= MAX_OBJECTS || monotonic() > end)) return { entries, next }
  }
  return { entries }
}
