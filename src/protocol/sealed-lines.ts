import { createHash } from 'node:crypto'
import { CargoError } from '../errors.ts'
import { isSealed } from './seal.ts'

/** So many lines are made or read before others have their turn. */
const LINES_IN_A_TURN = 500
const NEWLINE = 0x0a

/** What is said of the whole; every object has a `schema`. */
export type SealedHead = Readonly<Record<string, string | number>>

/**
 * One sealed JSON object of `head` and `crates`, the entries by their names, each on a line of its own: a large one can
 * be made and read in parts, and one entry be found without reading the others. Names are those of crates.
 */
export function* encodeSealedLines(
  head: SealedHead,
  entries: Iterable<readonly [name: string, value: object]>,
): Generator<undefined, Buffer> {
  const hash = createHash('sha256')
  const parts: Buffer[] = []
  const write = (text: string) => {
    const bytes = Buffer.from(text)
    hash.update(bytes)
    parts.push(bytes)
  }
  let lines = [`${JSON.stringify(head).slice(0, -1)},"crates":{`]
  let separator = '\n'
  for (const [name, value] of entries) {
    lines.push(`${separator}${JSON.stringify(name)}:${JSON.stringify(value)}`)
    separator = ',\n'
    if (lines.length < LINES_IN_A_TURN) continue
    write(lines.join(''))
    lines = []
    yield
  }
  write(`${lines.join('')}\n}`)
  parts.push(Buffer.from(`,"seal":"${hash.digest('hex')}"}\n`))
  return Buffer.concat(parts)
}

/**
 * Reads what {@link encodeSealedLines} made, and hands out each entry.
 * @throws {CargoError} `internal` when the bytes are damaged, or of another schema than `schema`
 */
export function* readSealedLines(
  bytes: Buffer,
  schema: number,
  each: (name: string, value: unknown) => void,
): Generator<undefined, SealedHead> {
  const head = openSealedLines(bytes, schema)
  let count = 0
  for (const [start, end] of linesOf(bytes)) {
    each(...parseLine(bytes, start, end))
    count += 1
    if (count % LINES_IN_A_TURN === 0) yield
  }
  return head
}

/**
 * The entry of one name; `undefined` when there is none.
 * @throws {CargoError} as {@link readSealedLines}
 */
export function findSealedLine(bytes: Buffer, schema: number, name: string): unknown {
  openSealedLines(bytes, schema)
  const start = bytes.indexOf(`\n${JSON.stringify(name)}:`) + 1
  return start === 0 ? undefined : parseLine(bytes, start, bytes.indexOf(NEWLINE, start))[1]
}

function openSealedLines(bytes: Buffer, schema: number): SealedHead {
  if (!isSealed(bytes)) throw new CargoError('internal', 'is damaged: its bytes do not have their checksum')
  const text = bytes.toString('utf8', 0, bytes.indexOf(NEWLINE))
  const { crates: _, ...head } = JSON.parse(`${text}}}`)
  if (head.schema === schema) return head
  throw new CargoError('internal', `has schema \`${head.schema}\`, this version reads ${schema}`)
}

/** Where the lines of entries begin and end: all but the first and the last. */
function* linesOf(bytes: Buffer): Generator<readonly [start: number, end: number]> {
  let start = bytes.indexOf(NEWLINE) + 1
  for (let end = bytes.indexOf(NEWLINE, start); end + 1 < bytes.length; end = bytes.indexOf(NEWLINE, start)) {
    yield [start, end]
    start = end + 1
  }
}

function parseLine(bytes: Buffer, start: number, end: number): readonly [string, unknown] {
  const text = bytes.toString('utf8', start, end)
  const [entry] = Object.entries(JSON.parse(`{${text.endsWith(',') ? text.slice(0, -1) : text}}`))
  if (entry === undefined) throw new CargoError('internal', 'has an empty line')
  return entry
}
