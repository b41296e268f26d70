const written = new WeakMap<Date, string>()

/** A date as headers have it (RFC 9110 section 5.6.7); written once for each `Date`. */
export function httpDate(date: Date): string {
  const known = written.get(date)
  if (known !== undefined) return known
  const text = date.toUTCString()
  written.set(date, text)
  return text
}

/** As everybody writes them, as RFC 850 had them, and as C prints them: recipients read all three. */
const FORMS = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
]

/** Milliseconds since 1970 of a date in a header; `undefined` for anything else. */
export function parseHttpDate(text: string): number | undefined {
  if (!FORMS.some((form) => form.test(text))) return undefined
  const at = Date.parse(text.endsWith(' GMT') ? text : `${text} GMT`)
  return Number.isNaN(at) ? undefined : at
}
