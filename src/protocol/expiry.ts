import { CargoError } from '../errors.ts'
import { quote } from './text.ts'
import { timeOf } from './time.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const MAX_DAYS = 36_500

/**
 * When a token expires, RFC 3339: days from `now` on (`30d`), the beginning of a day in UTC (`2027-01-31`), or a time
 * (`2027-01-31T12:00:00Z`).
 * @throws {CargoError} `invalid_request` for anything else, and for the past
 */
export function parseExpiry(text: string, now: Date): string {
  const days = /^(\d{1,5})d$/.exec(text)?.[1]
  const time = days === undefined ? timeOf(text) : now.getTime() + Number(days) * DAY_MS
  if (Number.isNaN(time) || time > now.getTime() + MAX_DAYS * DAY_MS) {
    throw new CargoError(
      'invalid_request',
      `invalid expiry ${quote(text)}: must be days such as \`30d\`, or a date such as \`2027-01-31\``,
    )
  }
  if (time <= now.getTime()) {
    throw new CargoError('invalid_request', `invalid expiry ${quote(text)}: must be in the future`)
  }
  return new Date(time).toISOString()
}
