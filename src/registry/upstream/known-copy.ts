import { isGone, type UpstreamCopy } from '../../protocol/upstream-copy.ts'
import type { Known } from './copy-memory.ts'

/** An uplink's index file as far as it is known. */
export interface KnownCopy {
  readonly copy: UpstreamCopy
  /** Milliseconds since the uplink last confirmed it. */
  readonly age: number
  /** It is older than `maxage`. */
  readonly stale: boolean
  /** This request waited for the uplink. */
  readonly asked: boolean
  /** Until then, there was nothing to serve. */
  readonly cold?: boolean
  /** It was in the store, and not in memory. */
  readonly loaded?: boolean
  /** Why there is no newer one. */
  readonly problem?: string
}

export interface Asking {
  /** The uplink's `maxage`, in milliseconds. */
  readonly maxAge: number
  /** On the monotonic clock, as all times here. */
  readonly now: number
  /** When this request began to wait for the uplink. */
  readonly askedAt?: number | undefined
}

/** What a request is told of a copy; `undefined` when the crate is gone. */
export function knownCopy(known: Known, { maxAge, now, askedAt }: Asking): KnownCopy | undefined {
  const { copy, confirmedAt, problem } = known
  if (isGone(copy)) return undefined
  const age = now - confirmedAt
  // What was confirmed for this very request is not stale, even where nothing counts as fresh.
  const stale = age > maxAge && confirmedAt < (askedAt ?? Number.POSITIVE_INFINITY)
  const asked = askedAt !== undefined
  return { copy, age, stale, asked, ...(problem !== undefined && { problem }) }
}
