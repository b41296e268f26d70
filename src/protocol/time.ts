/** Milliseconds since 1970 of an RFC 3339 time, or of the beginning of a day in UTC (`2027-01-31`); `NaN` for anything else. */
export function timeOf(text: string): number {
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
  // `Date.parse` takes the 31st of February for the 3rd of March.
  const [, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number)
  const isDay = isTime && new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate() === day && month > 0
  return isDay ? Date.parse(text) : Number.NaN
}
