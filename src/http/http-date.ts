const written = new WeakMap<Date, string>()

/** A date as headers have it (RFC 9110 section 5.6.7); written once for each `Date`. */
export function httpDate(date: Date): string {
  const known = written.get(date)
  if (known !== undefined) return known
  const text = date.toUTCString()
  written.set(date, text)
  return text
}
