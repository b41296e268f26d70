/** What ran for so many milliseconds ended for another reason than its start. */
const STABLE_MS = 60_000
const FIRST_MS = 200
const LONGEST_MS = 30_000

/**
 * How long to wait before something that ended after `livedMs` is started again, `failures` short lives after the last
 * long one; both in milliseconds.
 */
export function restartDelay(
  failures: number,
  livedMs: number,
): { readonly failures: number; readonly ms: number } {
  const inARow = livedMs >= STABLE_MS ? 0 : failures
  return { failures: inARow + 1, ms: Math.min(FIRST_MS * 2 ** Math.min(inARow, 20), LONGEST_MS) }
}
