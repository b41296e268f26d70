/** An uplink that asks for more is asked again after an hour all the same. */
const LONGEST_WAIT = 3600
/** The start of each form of an HTTP date: `Sun, 06 Nov`, `Sunday, 06-Nov`, `Sun Nov  6`. */
const DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /

/**
 * Seconds to wait by a `Retry-After` header, a number or an HTTP date: at least 1, at most an hour; `undefined` when
 * there is none or it makes no sense.
 * @param now milliseconds since 1970
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? ''
  const seconds = /^\d+$/.test(text) ? Number(text) : (parseDate(text) - now) / 1000
  if (Number.isNaN(seconds)) return undefined
  return Math.min(LONGEST_WAIT, Math.max(1, Math.ceil(seconds)))
}

/** Milliseconds since 1970 of an HTTP date, or NaN; `Date.parse` alone takes `-5` and `1.5` for dates. */
function parseDate(text: string): number {
  if (!DATE.test(text)) return Number.NaN
  // The oldest form has no zone, and means GMT as the others do (RFC 9110, 5.6.7).
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
}
