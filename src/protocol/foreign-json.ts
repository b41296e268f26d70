import { isPlainText, isProse } from './text.ts'

/** Longer than any URL that people write. */
const MAX_URL = 2048

/** Fields by name, of whatever type; none of what is no object. */
export type Fields = Readonly<Record<string, unknown>>

/** A JSON object from a stranger; `undefined` for anything else. */
export function parseRecord(bytes: Uint8Array): Fields | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined
  } catch {
    return undefined
  }
}

/** The fields of a value; what is no object has none. */
export function asRecord(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

/** A line of text of at most `max` characters; anything else is left out. */
export function lineIn(value: unknown, max: number): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= max && isPlainText(value)
    ? value
    : undefined
}

/** Text of several lines, cut to `max` characters. */
export function proseIn(value: unknown, max: number): string | undefined {
  if (typeof value !== 'string' || value === '' || !isProse(value)) return undefined
  return value.length <= max ? value : value.slice(0, max).toWellFormed()
}

/** A URL for people to follow: http or https, and nothing that does something else. */
export function urlIn(value: unknown): string | undefined {
  const text = lineIn(value, MAX_URL)
  return text !== undefined && /^https?:$/.test(URL.parse(text)?.protocol ?? '') ? text : undefined
}

/** A number that counts something. */
export function numberIn(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined
}

/** At most `maxCount` lines of text; anything else among them is left out. */
export function linesIn(value: unknown, maxCount: number, max: number): readonly string[] {
  if (!Array.isArray(value)) return []
  return value.slice(0, maxCount).flatMap((one) => lineIn(one, max) ?? [])
}

/** A time as this registry writes it; `undefined` when it is none. */
export function timeIn(value: unknown): string | undefined {
  const time = typeof value === 'string' && value.length <= 40 ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? undefined : `${new Date(time).toISOString().slice(0, 19)}Z`
}
