import { Readable } from 'node:stream'
import { CargoError } from '../errors.ts'
import { isSealed, sealJson } from '../protocol/seal.ts'
import type { CatalogueEntry } from './catalogue/entry.ts'
import { isWholeList, readWholeList } from './catalogue/whole-list.ts'

/** The version of the stored form of a list. */
const LIST_SCHEMA = 1
/** The version of the stored form of a snapshot: many lists, and a line that says how many. */
const SNAPSHOT_SCHEMA = 2

/** Entries in a line of a snapshot: few, since readers parse a line at a time. */
export const LINE = 64

/** What an open snapshot may still be short of. */
interface SnapshotEnd {
  readonly lists: number
}

/** The stored form of entries, as an addition to the catalogue. */
export function encodeList(entries: readonly CatalogueEntry[]): Buffer {
  return sealJson({ schema: LIST_SCHEMA, entries })
}

/**
 * Reads a stored list; those from before there were seals are bare arrays.
 * @throws {CargoError} `internal` for anything else
 */
export function parseList(bytes: Buffer): readonly CatalogueEntry[] {
  const value = parseJson(bytes)
  if (Array.isArray(value)) return value as CatalogueEntry[]
  const { schema, entries } = Object(value)
  if (schema === LIST_SCHEMA && Array.isArray(entries) && isSealed(bytes)) return entries
  throw damaged()
}

/** The stored form of a whole catalogue: a line for each list, so that nobody has to hold or read all of it at once. */
export function encodeSnapshot(
  lists: Iterable<readonly CatalogueEntry[]> | AsyncIterable<readonly CatalogueEntry[]>,
): Readable {
  async function* lines(): AsyncGenerator<Buffer> {
    let count = 0
    for await (const entries of lists) {
      if (entries.length === 0) continue
      count += 1
      yield sealJson({ schema: SNAPSHOT_SCHEMA, entries })
    }
    yield sealJson({ schema: SNAPSHOT_SCHEMA, lists: count })
  }
  return Readable.from(lines())
}

/**
 * Reads a snapshot, list by list. Older versions stored the whole catalogue as a single list.
 * @throws {CargoError} `internal` at the first line that is damaged or missing; what came before it is sound
 */
export async function* readSnapshot(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<readonly CatalogueEntry[]> {
  let count = 0
  let end: SnapshotEnd | undefined
  for await (const line of linesOf(body)) {
    if (end !== undefined) throw damaged()
    if (isWholeList(line)) {
      if (count > 0) throw damaged()
      yield* readWholeList(line)
      end = { lists: 0 }
      continue
    }
    const { schema, entries, lists } = Object(parseJson(line))
    if (schema !== SNAPSHOT_SCHEMA || !isSealed(line)) throw damaged()
    if (Array.isArray(entries)) {
      count += 1
      yield entries
    } else {
      end = { lists }
    }
  }
  if (end?.lists !== count) throw damaged()
}

/** Whether a part of the catalogue is worth nothing; any other failure says nothing of it. */
export function isDamage(error: unknown): boolean {
  return error instanceof CargoError && error.code === 'internal'
}

/** Pieces that end in a newline, and the rest. */
async function* linesOf(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pending: Uint8Array[] = []
  for await (const chunk of body) {
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      const end = chunk.subarray(from, at + 1)
      yield pending.length > 0 ? Buffer.concat([...pending, end]) : bytesOf(end)
      pending = []
      from = at + 1
    }
    if (from < chunk.length) pending.push(chunk.subarray(from))
  }
  if (pending.length > 0) yield Buffer.concat(pending)
}

const NEWLINE = 0x0a

/** The same memory: lines are many, and copies of them leave holes. */
function bytesOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new CargoError('internal', 'stored catalogue is not JSON', { cause })
  }
}

function damaged(): CargoError {
  return new CargoError('internal', 'stored catalogue is damaged: its bytes do not have their checksum')
}
