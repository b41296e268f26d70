import { CargoError } from '../../errors.ts'
import { isSealedInParts } from '../../protocol/seal.ts'
import { inTurns } from '../in-turns.ts'
import type { CatalogueEntry } from './entry.ts'

/** How such a list begins: before there were seals, and since. */
const BEGINNINGS = ['[', '{"schema":1,"entries":[']
/** Between two entries, and nowhere else: inside of a text a quote has a backslash before it. */
const SEAM = '},{"name":'
/** Bytes of entries that are parsed at once. */
const PART = 64 * 1024

/** Whether a line has a whole catalogue in it, as earlier builds stored it. */
export function isWholeList(line: Buffer): boolean {
  return BEGINNINGS.some((text) => line.toString('latin1', 0, text.length) === text)
}

/**
 * Reads such a line, so that others have their turn in between.
 * @throws {CargoError} `internal` when it is damaged
 */
export async function* readWholeList(line: Buffer): AsyncGenerator<readonly CatalogueEntry[]> {
  const isBare = line[0] === '['.charCodeAt(0)
  if (!isBare && !(await inTurns(isSealedInParts(line)))) throw damaged()
  const end = line.lastIndexOf(isBare ? ']' : '],"seal":"')
  let from = line.indexOf('[') + 1
  while (from < end) {
    const seam = line.indexOf(SEAM, from + PART)
    const to = seam < 0 ? end : seam + 1
    yield parseEntries(line.toString('utf8', from, to))
    from = to + 1
  }
}

function parseEntries(text: string): readonly CatalogueEntry[] {
  try {
    return JSON.parse(`[${text}]`)
  } catch (cause) {
    throw new CargoError('internal', 'stored catalogue is not JSON', { cause })
  }
}

function damaged(): CargoError {
  return new CargoError('internal', 'stored catalogue is damaged: its bytes do not have their checksum')
}
