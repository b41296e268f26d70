import { z } from 'zod'

const MiB = 1024 * 1024

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  kib: 1024,
  mib: MiB,
  gib: 1024 ** 3,
}

const SECOND = 1000
const DAY = 24 * 60 * 60 * SECOND

/** Verdaccio's units, in milliseconds. */
const INTERVAL_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND,
  m: 60 * SECOND,
  h: 60 * 60 * SECOND,
  d: DAY,
  w: 7 * DAY,
  M: 30 * DAY,
  y: 365 * DAY,
}

/** No flags: the patterns go into the JSON Schema, which has none. */
const BYTE_SIZE = /^\d{1,15}\s*([kmgKMG][iI]?)?[bB]?$/
const INTERVAL = /^\s*\d{1,9}(\.\d{1,6})?(ms|[smhdwMy])?(\s+\d{1,9}(\.\d{1,6})?(ms|[smhdwMy]))*\s*$/

/** Bytes: a number, or text with a unit. */
export const byteSize = z
  .union([
    z.int().positive(),
    z.string().regex(BYTE_SIZE, 'must be bytes, or a number with a unit such as `10MiB`'),
  ])
  .transform(parseByteSize)
  .describe('bytes, or a number with a unit: `512KiB`, `10MiB`, `1GiB`')

/** A time span in Verdaccio's syntax; its output is milliseconds. */
export const interval = z
  .union([
    z.number().nonnegative(),
    z.string().regex(INTERVAL, 'must be seconds, or numbers with units such as `2m`, `7d` or `1h 30m`'),
  ])
  .transform(parseInterval)
  .describe('seconds, or numbers with units: `500ms`, `30s`, `2m`, `1h 30m`, `7d`')

function parseByteSize(value: string | number): number {
  if (typeof value === 'number') return value
  const digits = value.match(/^\d+/)?.[0] ?? ''
  const unit = value.slice(digits.length).trim().toLowerCase()
  return Number(digits) * (BYTE_UNITS[unit.endsWith('b') || unit === '' ? unit : `${unit}b`] ?? 1)
}

/** The milliseconds of a time span in that syntax, which was checked before. */
export function parseInterval(value: string | number): number {
  if (typeof value === 'number') return value * SECOND
  return value
    .trim()
    .split(/\s+/)
    .map((part) => Number.parseFloat(part) * (INTERVAL_UNITS[part.replace(/^[\d.]+/, '') || 's'] ?? SECOND))
    .reduce((sum, part) => sum + part, 0)
}
