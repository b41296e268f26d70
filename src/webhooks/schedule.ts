const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** The waits between attempts, in milliseconds: eleven attempts within about a day. */
export const RETRY_DELAYS: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  8 * HOUR,
]
/** The most that chance adds to a wait, as a share of it: what failed together is not tried again together. */
const JITTER = 0.2

export interface FailedAttempt {
  /** How many there were, this one included. */
  readonly attempts: number
  /** Seconds for which the receiver wants to be left alone. */
  readonly retryAfter?: number | undefined
  /** From 0 to 1. */
  readonly random: number
}

/** Milliseconds to wait after a failed attempt; `undefined` when it was the last one. */
export function retryDelay(
  { attempts, retryAfter = 0, random }: FailedAttempt,
  delays: readonly number[] = RETRY_DELAYS,
): number | undefined {
  const delay = delays[attempts - 1]
  if (delay === undefined) return undefined
  return Math.max(delay * (1 + JITTER * random), retryAfter * SECOND)
}
