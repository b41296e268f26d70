import type { KnownBlob } from './blob-table.ts'

/** How long, and how much of it, files of uplinks are kept. */
export interface Retention {
  /** Milliseconds since their last use; absent: for ever. */
  readonly max_age?: number | undefined
  /** Bytes of all together; absent: as much as there is. */
  readonly max_size?: number | undefined
}

/**
 * The files of uplinks that are not kept any longer: those that nobody asked for too long, then, of the others, those
 * that were asked for least recently until what is left is small enough. Files that a crate of this registry needs, or
 * that are younger than `since`, stay.
 */
export function expired(
  blobs: Iterable<KnownBlob>,
  { max_age: maxAge = Number.POSITIVE_INFINITY, max_size: maxSize = Number.POSITIVE_INFINITY }: Retention,
  { now, since }: { readonly now: number; readonly since: number },
): readonly KnownBlob[] {
  const proxied = [...blobs].filter(({ use }) => use === 'uplinks').sort((a, b) => a.used - b.used)
  let size = proxied.reduce((sum, blob) => sum + blob.size, 0)
  const out: KnownBlob[] = []
  for (const blob of proxied) {
    const isTooOld = now - blob.used > maxAge
    if (!isTooOld && size <= maxSize) break
    if (blob.modified > since) continue
    out.push(blob)
    size -= blob.size
  }
  return out
}
