const DAY_MS = 24 * 60 * 60 * 1000

/** The day of a time, in UTC: `YYYY-MM-DD`. Days compare as texts. */
export function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10)
}

/** The day so many days later, or earlier when `days` is negative. */
export function addDays(day: string, days: number): string {
  return dayOf(new Date(startOf(day) + days * DAY_MS))
}

/** Whether `text` is a day of the calendar, `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const start = startOf(text)
  return !Number.isNaN(start) && dayOf(new Date(start)) === text
}

function startOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`)
}
