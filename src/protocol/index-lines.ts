import { isUtf8 } from 'node:buffer'
import { CargoError } from '../errors.ts'
import { hasDuplicateKeys } from './duplicate-keys.ts'
import type { IndexDep, IndexEntry } from './index-entry.ts'
import { checkDep, checkEntry, type Fields, InvalidField, isFeatureMap } from './index-rules.ts'
import { createLineShortener, type LinePart } from './line-shortener.ts'

/** Characters of the longest line that is read; the longest on crates.io have some hundred thousand. */
const MAX_LINE_LENGTH = 2 * 1024 * 1024
/** Characters after which {@link parseLinesInParts} lets others work. */
const PART_LENGTH = 256 * 1024
const NEWLINE = 0x0a

/** What {@link parseLines} demands beyond valid lines. */
export interface ParseLinesOptions {
  /** The crate the file is of: every line must name it, in any case. */
  readonly name?: string
  /** Refuse a body whose last line is not ended: it may have been cut. */
  readonly requireFinalNewline?: boolean
  /**
   * Take versions and requirements that are not in today's grammar as they are. crates.io serves some lines from before
   * semver 1.0 (`volatile 0.4.0-alpha.01`, `raft 0.5.0`) that cargo passes over: https://github.com/rust-lang/cargo/pull/9508
   */
  readonly oldGrammar?: boolean
}

/**
 * Reads an index file, stricter than cargo, which passes over bad lines: every line must be a valid entry (protocol.md 2)
 * and no version may occur twice. Blank lines and CRLF are taken; absent fields get their defaults, unknown ones are kept.
 * @throws {CargoError} `invalid_body` naming the line and the field
 */
export function parseLines(body: Uint8Array | string, options: ParseLinesOptions = {}): IndexEntry[] {
  const parts = parseLinesInParts(body, options)
  for (;;) {
    const part = parts.next()
    if (part.done) return part.value
  }
}

/** Where in a body the bytes of a line are. */
export interface LineAt {
  readonly from: number
  readonly to: number
}

/** The same in parts that take a few milliseconds each: whoever has other work does it in between. */
export function parseLinesInParts(
  body: Uint8Array | string,
  options: ParseLinesOptions = {},
): Generator<undefined, IndexEntry[]> {
  return mapLinesInParts(body, options, parseLine, entryOf)
}

/** The same, with what `keep` makes of the head of each entry and of where its line is: the rest is not held in memory. */
export function mapHeadsInParts<T>(
  body: Uint8Array | string,
  options: ParseLinesOptions,
  keep: (head: EntryHead, at: LineAt) => T,
): Generator<undefined, T[]> {
  const { shorten } = createLineShortener((text, part) => isValidPart(text, part, options))
  const parse: ParseLine = (line, number) => {
    const short = line.length > MAX_LINE_LENGTH ? undefined : shorten(line)
    if (short === undefined) return parseLine(line, number, options)
    try {
      return parseLine(short, number, options)
    } catch {
      // What is wrong is to be told of the whole line.
      return parseLine(line, number, options)
    }
  }
  return mapLinesInParts(body, options, parse, (fields, at) => keep(headOf(fields), at))
}

/** The fields of a valid line. */
type ValidFields = Fields & { readonly __brand: 'ValidFields' }

type ParseLine = (line: string, number: number, options: ParseLinesOptions) => ValidFields

function* mapLinesInParts<T>(
  body: Uint8Array | string,
  options: ParseLinesOptions,
  parse: ParseLine,
  keep: (fields: ValidFields, at: LineAt) => T,
): Generator<undefined, T[]> {
  const bytes =
    typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.length)
  if (!isUtf8(bytes)) throw new CargoError('invalid_body', 'invalid index file: must be UTF-8')
  if (options.requireFinalNewline && bytes.at(-1) !== NEWLINE) {
    throw new CargoError('invalid_body', 'invalid index file: must end in a newline')
  }
  const kept: T[] = []
  const versions = new Set<string>()
  let part = 0
  let number = 0
  for (const at of linesIn(bytes)) {
    number += 1
    // A BOM is left in place: with it cargo loses the first line, so it must not pass.
    const line = bytes.toString('utf8', at.from, at.to)
    if (isBlank(line)) continue
    const fields = parse(line, number, options)
    const vers = String(fields['vers'])
    if (versions.has(vers)) throw invalidLine(number, `version \`${vers}\` must occur once`)
    versions.add(vers)
    kept.push(keep(fields, at))
    part += line.length
    if (part < PART_LENGTH) continue
    part = 0
    yield
  }
  return kept
}

/** The entry of a line that was parsed before, and found valid. */
export function parseLineAgain(line: string): IndexEntry {
  return entryOf(JSON.parse(line) as ValidFields)
}

/** What is asked of an entry most. */
export type EntryHead = Omit<IndexEntry, 'deps' | 'features' | 'features2'>

/** The head of a line's entry; unknown fields are left out. */
function headOf(fields: ValidFields): EntryHead {
  const { name, vers, cksum, yanked, links, rust_version, pubtime, v } = fields
  return {
    ...{ name, vers, cksum, yanked: yanked ?? false },
    ...(links !== undefined && { links }),
    ...(rust_version !== undefined && { rust_version }),
    // cargo reads `null` as absent
    ...(pubtime != null && { pubtime }),
    ...(v != null && { v }),
  } as EntryHead
}

function* linesIn(bytes: Buffer): Generator<LineAt> {
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, from)
    const to = end < 0 ? bytes.length : end
    yield { from, to }
    from = to + 1
  }
}

function parseLine(line: string, number: number, options: ParseLinesOptions): ValidFields {
  if (line.length > MAX_LINE_LENGTH)
    throw invalidLine(number, `must have at most ${MAX_LINE_LENGTH} characters`)
  const value = parseObject(line, number)
  try {
    checkEntry(value, options)
    for (const [index, dep] of (value['deps'] as readonly Fields[]).entries()) checkDep(dep, index, options)
    if (hasDuplicateKeys(line, value)) throw invalidLine(number, 'no key may occur twice')
    return value as ValidFields
  } catch (error) {
    if (error instanceof InvalidField) throw invalidLine(number, error.message)
    throw error
  }
}

function isValidPart(text: string, part: LinePart, options: ParseLinesOptions): boolean {
  try {
    const value: unknown = JSON.parse(text)
    if (part === 'dep') checkDep(value, 0, options)
    return (part === 'dep' || isFeatureMap(value)) && !hasDuplicateKeys(text, value)
  } catch {
    return false
  }
}

function parseObject(line: string, number: number): Fields {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new CargoError('invalid_body', `invalid index line ${number}: must be JSON`, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidLine(number, 'must be a JSON object')
  }
  return value as Fields
}

function entryOf(value: ValidFields): IndexEntry {
  const { features2, pubtime, v, ...rest } = value
  return {
    ...rest,
    deps: (value['deps'] as readonly Fields[]).map(withDepDefaults),
    features: value['features'] ?? {},
    yanked: value['yanked'] ?? false,
    // cargo reads `null` as absent
    ...(features2 != null && { features2 }),
    ...(pubtime != null && { pubtime }),
    ...(v != null && { v }),
  } as unknown as IndexEntry
}

function withDepDefaults(value: Fields): IndexDep {
  const kind = value['kind'] === 'dev' || value['kind'] === 'build' ? value['kind'] : 'normal'
  return {
    ...value,
    features: value['features'] ?? [],
    optional: value['optional'] ?? false,
    default_features: value['default_features'] ?? true,
    target: value['target'] ?? null,
    kind,
  } as unknown as IndexDep
}

function isBlank(line: string): boolean {
  return line === '' || line === '\r' || line.trim() === ''
}

function invalidLine(number: number, rule: string): CargoError {
  return new CargoError('invalid_body', `invalid index line ${number}: ${rule}`)
}
