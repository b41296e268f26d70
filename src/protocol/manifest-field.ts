import { CargoError } from '../errors.ts'

/** A TOML table as it was parsed: without a prototype, so that no key can reach one. */
export type Table = Readonly<Record<string, unknown>>

/** Control characters, line separators and lone surrogates: none belongs in a name, a URL or a line of the index. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029]/u
/** Of prose only what no database and no terminal takes. */
const UNPRINTABLE_IN_PROSE = /[\0\p{Cs}]/u

/** @throws {CargoError} `invalid_manifest` with `Cargo.toml` named before the reason */
export function failManifest(reason: string, cause?: unknown): never {
  throw new CargoError('invalid_manifest', `invalid \`Cargo.toml\`: ${reason}`, { cause })
}

/** A table under `key`; `undefined` when there is none. `path` is the dotted way to `parent`, for messages. */
export function tableField(parent: Table, key: string, path = ''): Table | undefined {
  const value = parent[key]
  if (value === undefined) return undefined
  return isTable(value) ? value : failField(path, key, 'must be a table')
}

/** A string on one line, or `undefined`. */
export function textField(parent: Table, key: string, path: string): string | undefined {
  return checkedText(parent[key], UNPRINTABLE, path, key)
}

/** A string of any number of lines, or `undefined`. */
export function proseField(parent: Table, key: string, path: string): string | undefined {
  return checkedText(parent[key], UNPRINTABLE_IN_PROSE, path, key)
}

/** A list of strings, each on one line; empty when absent. */
export function listField(parent: Table, key: string, path: string): readonly string[] {
  const value = parent[key]
  if (value === undefined) return []
  if (!Array.isArray(value)) return failField(path, key, wantedOf(value, 'must be a list of strings'))
  return value.map((item, index) => checkedText(item, UNPRINTABLE, path, `${key}[${index}]`) ?? '')
}

/** A boolean, or `undefined`. */
export function flagField(parent: Table, key: string, path: string): boolean | undefined {
  const value = parent[key]
  if (value === undefined || typeof value === 'boolean') return value
  return failField(path, key, wantedOf(value, 'must be true or false'))
}

/** Whether a value is a table: not a list, not a date. */
export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null
}

/** Refuses keys that a normalised manifest never has, each with the reason. */
export function refuseKeys(table: Table, reasons: Readonly<Record<string, string>>, path = ''): void {
  for (const [key, reason] of Object.entries(reasons)) {
    if (Object.hasOwn(table, key)) failField(path, key, reason)
  }
}

/** The entries of a table, whose keys are one line each. */
export function entriesOf(table: Table, path: string): [string, unknown][] {
  for (const key of Object.keys(table)) checkedText(key, UNPRINTABLE, path, key)
  return Object.entries(table)
}

export function failField(path: string, key: string, wanted: string): never {
  return failManifest(`\`${path === '' ? key : `${path}.${key}`}\` ${wanted}`)
}

function checkedText(value: unknown, banned: RegExp, path: string, key: string): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string') return failField(path, key, wantedOf(value, 'must be a string'))
  return banned.test(value) ? failField(path, printable(key), 'must not contain control characters') : value
}

/** cargo resolves `{ workspace = true }` when it packages: what is left of it was packaged by something else. */
function wantedOf(value: unknown, wanted: string): string {
  return isTable(value) && value['workspace'] !== undefined
    ? 'must not be inherited from a workspace'
    : wanted
}

function printable(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}
