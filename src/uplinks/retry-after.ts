/** An uplink that asks for more is asked again after an hour all the same. */
const LONGEST_WAIT = 3600

/**
 * Seconds to wait by a `Retry-After` header, a number or an HTTP date: at least 1, at most an hour; `undefined` when
 * there is none or it makes no sense.
 * @param now milliseconds since 1970
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  const seconds = /^\d{1,15}$/.test(value.trim()) ? Number(value) : (Date.parse(value) - now) / 1000
  if (Number.isNaN(seconds)) return undefined
  return Math.min(LONGEST_WAIT, Math.max(1, Math.ceil(seconds)))
}
