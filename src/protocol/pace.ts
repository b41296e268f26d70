/** So many at once, and after that so many in a while. */
export interface Pace {
  readonly count: number
  /** Milliseconds in which `count` may come. */
  readonly perMs: number
  /** How many may come at once after a rest. */
  readonly burst: number
}

/** Whether one more may come, and what to remember of it. */
export type Admission =
  | { readonly admitted: true; readonly due: number }
  | { readonly admitted: false; readonly waitMs: number }

/**
 * Judges one more at a time `now`, in milliseconds; `due` is what the one before left to be remembered, `undefined` for
 * the first. This is the generic cell rate algorithm: the one number is when all that came so far would have come at
 * an even pace.
 */
export function admit({ count, perMs, burst }: Pace, due: number | undefined, now: number): Admission {
  const step = perMs / count
  const even = Math.max(due ?? now, now)
  const waitMs = even - (burst - 1) * step - now
  return waitMs <= 0 ? { admitted: true, due: even + step } : { admitted: false, waitMs }
}
