import { CargoError } from '../errors.ts'
import { quote } from './text.ts'

/** Ours: some 30,000 packages, far beyond any workspace. */
export const MAX_LOCK_FILE_BYTES = 8 * 1024 * 1024

/** What cargo 1.95 reads. */
const MAX_FORMAT = 4
/** Ours: what keeps each line's reading short. */
const MAX_LINE_LENGTH = 16 * 1024

/** A package of a `Cargo.lock`, its fields as they are there. */
export interface LockedPackage {
  readonly name: string
  readonly version: string
  /** `registry+https://…`, `sparse+https://…/`, `git+…`; absent for the workspace's own. */
  readonly source: string | undefined
  /** SHA-256 of the `.crate` file, hex. */
  readonly checksum: string | undefined
}

/** The strings of a table under their keys. */
type Strings = Map<string, string>

interface Tables {
  readonly packages: Strings[]
  /** Where the first format kept checksums, under `checksum name version (source)`. */
  readonly metadata: Strings
}

const HEADER = /^(\[\[|\[)\s*([A-Za-z0-9_.-]+)\s*(\]\]|\])\s*(?:#.*)?$/
const PAIR = /^(?:([A-Za-z0-9_-]+)|("[^"\\]*"))\s*=\s*(\S.*)$/
const STRING = /^(?:("(?:[^"\\]|\\.)*")|'([^']*)')\s*(?:#.*)?$/
const ELEMENT = /^(?:"(?:[^"\\]|\\.)*"|'[^']*')\s*,?\s*(?:#.*)?$/
const ARRAY_END = /^\]\s*(?:#.*)?$/
const CHECKSUM = /^[0-9a-f]{64}$/i

/**
 * Reads the packages of a `Cargo.lock` of any format up to 4, in its order. It reads what cargo writes, line by line,
 * and not all of TOML, so that the time is in proportion to the size.
 * @throws {CargoError} `invalid_body` naming the line, `too_large`
 */
export function parseLockFile(file: Uint8Array | string): readonly LockedPackage[] {
  if (file.length > MAX_LOCK_FILE_BYTES) {
    throw new CargoError(
      'too_large',
      `lock file has ${file.length} bytes: at most ${MAX_LOCK_FILE_BYTES} are accepted`,
    )
  }
  const { packages, metadata } = readTables(typeof file === 'string' ? file : decode(file))
  if (packages.length === 0) throw invalid('must have a `[[package]]`')
  return packages.map((fields) => lockedPackage(fields, metadata))
}

function lockedPackage(fields: Strings, metadata: Strings): LockedPackage {
  const [name, version, source] = [fields.get('name'), fields.get('version'), fields.get('source')]
  if (!name || !version) {
    throw invalid(`package ${quote(name || version || '')} must have a \`name\` and a \`version\``)
  }
  const written = fields.get('checksum') ?? metadata.get(`checksum ${name} ${version} (${source})`)
  // cargo's word for a source without checksums
  const checksum = written === '<none>' ? undefined : written
  if (checksum !== undefined && !CHECKSUM.test(checksum)) {
    throw invalid(`the checksum of ${quote(`${name} ${version}`)} must be 64 hex digits`)
  }
  return { name, version, source, checksum }
}

function readTables(text: string): Tables {
  const packages: Strings[] = []
  const metadata: Strings = new Map()
  let table: Strings | undefined
  let isTop = true
  let isInArray = false
  for (const [number, line] of lines(text)) {
    if (isInArray) {
      isInArray = !ARRAY_END.test(line)
      if (isInArray && !ELEMENT.test(line)) throw invalidLine(number)
      continue
    }
    const header = headerOf(line)
    if (header !== undefined) {
      isTop = false
      table = header === '[metadata]' ? metadata : isPackage(header) ? new Map() : undefined
      if (table !== undefined && table !== metadata) packages.push(table)
      continue
    }
    const [, bare, quoted, value] = PAIR.exec(line) ?? []
    if (value === undefined) throw invalidLine(number)
    const key = bare ?? String(quoted).slice(1, -1)
    if (isTop && key === 'version') checkFormat(value, number)
    isInArray = /^\[\s*(?:#.*)?$/.test(value)
    // numbers and arrays on one line are of no interest here
    if (!/^["'{]/.test(value)) continue
    const string = stringOf(value)
    if (string === undefined) throw invalidLine(number)
    table?.set(key, string)
  }
  return { packages, metadata }
}

/** The lines that say something, with their numbers, blanks trimmed. */
function* lines(text: string): Generator<[number: number, line: string]> {
  let number = 0
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    number++
    if (end - start > MAX_LINE_LENGTH) throw invalidLine(number)
    const line = text.slice(start, end).trim()
    start = end + 1
    if (line !== '' && !line.startsWith('#')) yield [number, line]
  }
}

/** `[metadata]`, `[[package]]`. */
function headerOf(line: string): string | undefined {
  const [, open, name, close] = HEADER.exec(line) ?? []
  return open?.length === close?.length && name !== undefined ? `${open}${name}${close}` : undefined
}

/** The first format had the package at hand apart, as `[root]`. */
function isPackage(header: string): boolean {
  return header === '[[package]]' || header === '[root]'
}

function stringOf(value: string): string | undefined {
  const [, basic, literal] = STRING.exec(value) ?? []
  if (basic === undefined) return literal
  try {
    // the escapes that cargo writes are JSON's
    return String(JSON.parse(basic))
  } catch {
    return undefined
  }
}

function checkFormat(value: string, number: number): void {
  const [, digits] = /^(\d{1,9})\s*(?:#.*)?$/.exec(value) ?? []
  if (digits !== undefined && Number(digits) >= 1 && Number(digits) <= MAX_FORMAT) return
  throw invalid(`line ${number}: \`version\` must be 1 to ${MAX_FORMAT}, not ${quote(value)}`)
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw invalid('must be UTF-8', cause)
  }
}

function invalidLine(number: number): CargoError {
  return invalid(`line ${number}: must be as cargo writes it`)
}

function invalid(rule: string, cause?: unknown): CargoError {
  return new CargoError('invalid_body', `invalid lock file: ${rule}`, { cause })
}
