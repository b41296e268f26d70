import { CargoError } from '../errors.ts'
import { isSealed, sealJson } from '../protocol/seal.ts'
import type { CatalogueEntry } from './catalogue.ts'

/** The version of the stored form. */
const LIST_SCHEMA = 1

/** The stored form of entries: of a snapshot of the catalogue, or of an addition to it. */
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
  throw new CargoError('internal', 'stored catalogue is damaged: its bytes do not have their checksum')
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new CargoError('internal', 'stored catalogue is not JSON', { cause })
  }
}
