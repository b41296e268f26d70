import { CargoError } from '../errors.ts'
import { hasDuplicateKeys } from './duplicate-keys.ts'
import type { IndexDep, IndexEntry } from './index-entry.ts'
import { checkDep, checkEntry, type Fields, InvalidField } from './index-rules.ts'

/** Characters of the longest line that is read; the longest on crates.io have some hundred thousand. */
const MAX_LINE_LENGTH = 2 * 1024 * 1024
/** Characters after which {@link parseLinesInParts} lets others work. */
const PART_LENGTH = 256 * 1024

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

/** The same in parts that take a few milliseconds each: whoever has other work does it in between. */
export function* parseLinesInParts(
  body: Uint8Array | string,
  options: ParseLinesOptions = {},
): Generator<undefined, IndexEntry[]> {
  const text = typeof body === 'string' ? body : decode(body)
  if (options.requireFinalNewline && !text.endsWith('\n')) {
    throw new CargoError('invalid_body', 'invalid index file: must end in a newline')
  }
  const entries: IndexEntry[] = []
  const versions = new Set<string>()
  let part = 0
  for (const [index, line] of text.split('\n').entries()) {
    if (isBlank(line)) continue
    const entry = parseLine(line, index + 1, options)
    if (versions.has(entry.vers)) throw invalidLine(index + 1, `version \`${entry.vers}\` must occur once`)
    versions.add(entry.vers)
    entries.push(entry)
    part += line.length
    if (part < PART_LENGTH) continue
    part = 0
    yield
  }
  return entries
}

function parseLine(line: string, number: number, options: ParseLinesOptions): IndexEntry {
  if (line.length > MAX_LINE_LENGTH)
    throw invalidLine(number, `must have at most ${MAX_LINE_LENGTH} characters`)
  const value = parseObject(line, number)
  try {
    checkEntry(value, options)
    const deps = (value['deps'] as readonly Fields[]).map((dep, index) => {
      checkDep(dep, `deps[${index}]`, options)
      return withDepDefaults(dep)
    })
    // a key that is there twice is more text than what was read of it; spaces aside, nearly every line is as we render it
    const json = line.endsWith('\r') ? line.slice(0, -1) : line
    const rendered = JSON.stringify(value)
    if (rendered !== json && withoutSpaces(rendered) !== withoutSpaces(json) && hasDuplicateKeys(json)) {
      throw invalidLine(number, 'no key may occur twice')
    }
    return withEntryDefaults(value, deps)
  } catch (error) {
    if (error instanceof InvalidField) throw invalidLine(number, error.message)
    throw error
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

function withEntryDefaults(value: Fields, deps: readonly IndexDep[]): IndexEntry {
  const { features2, pubtime, v, ...rest } = value
  return {
    ...rest,
    deps,
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

function decode(bytes: Uint8Array): string {
  try {
    // a BOM is left in place: with it cargo loses the first line, so it must not pass
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new CargoError('invalid_body', 'invalid index file: must be UTF-8', { cause })
  }
}

function withoutSpaces(text: string): string {
  return text.replaceAll(' ', '')
}

function isBlank(line: string): boolean {
  return line === '' || line === '\r' || line.trim() === ''
}

function invalidLine(number: number, rule: string): CargoError {
  return new CargoError('invalid_body', `invalid index line ${number}: ${rule}`)
}
