import { CargoError } from '../errors.ts'
import { isPlainText, isProse, quote } from './text.ts'

/** A JSON object of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>

/** cargo's metadata is four levels deep; whatever walks it later must not run out of stack. */
const MAX_DEPTH = 16

/** The largest crates have some thousands of features; more values only serve to keep the event loop busy. */
const MAX_VALUES = 50_000

/**
 * The JSON object in `bytes`, with every string in it, keys included, checked: no control characters, so that nothing
 * in it can break a line of the index, a header, a log, or a terminal.
 * @param prose top-level fields that may have several lines; only NUL is refused there
 * @throws {CargoError} `invalid_metadata` for anything but a JSON object in UTF-8, or naming the field
 */
export function parseJson(bytes: Uint8Array, prose: ReadonlySet<string>): Fields {
  const json = decode(bytes)
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new CargoError('invalid_metadata', 'invalid metadata: must be a JSON object')
  }
  const budget = { values: MAX_VALUES }
  for (const [field, value] of Object.entries(json)) {
    checkText(field, [])
    if (!prose.has(field)) checkValue(value, [field], budget)
    else if (typeof value === 'string' && !isProse(value))
      throw invalidMetadata(field, 'text without NUL', value)
  }
  return json as Fields
}

/** The error for the field at `path`. */
export function invalidMetadata(path: string, wanted: string, value: unknown): CargoError {
  return new CargoError(
    'invalid_metadata',
    `invalid ${quote(path)} in metadata: must be ${wanted}, not ${show(value)}`,
  )
}

function decode(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (cause) {
    throw new CargoError('invalid_metadata', 'invalid metadata: must be JSON in UTF-8', { cause })
  }
}

function checkValue(value: unknown, path: (string | number)[], budget: { values: number }): void {
  if (budget.values-- === 0) {
    throw new CargoError('invalid_metadata', `invalid metadata: must have at most ${MAX_VALUES} values`)
  }
  if (typeof value === 'string') checkText(value, path)
  if (typeof value !== 'object' || value === null) return
  if (path.length > MAX_DEPTH) {
    throw new CargoError(
      'invalid_metadata',
      `invalid ${quote(String(path[0]))} in metadata: must not be nested deeper than ${MAX_DEPTH}`,
    )
  }
  const isList = Array.isArray(value)
  for (const key of isList ? value.keys() : Object.keys(value)) {
    if (typeof key === 'string') checkText(key, path)
    path.push(key)
    checkValue((value as Record<string | number, unknown>)[key], path, budget)
    path.pop()
  }
}

function checkText(text: string, path: readonly (string | number)[]): void {
  if (!isPlainText(text)) throw invalidMetadata(renderPath(path), 'text without control characters', text)
}

/** `['deps', 0, 'name']` as `deps[0].name`. */
function renderPath(path: readonly (string | number)[]): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`))
    .join('')
}

function show(value: unknown): string {
  if (value === undefined || value === null) return 'absent'
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object'
  return quote(String(value))
}
