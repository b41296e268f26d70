import { CargoError } from '../errors.ts'
import type { IndexEntry } from './index-entry.ts'
import { isSealed, sealJson } from './seal.ts'

/** The version of the stored form; a reader refuses a newer one instead of guessing. */
export const CHANGE_SCHEMA = 2
/** The form before there were seals; no single bit makes it of the newer one. */
const UNSEALED_SCHEMA = 1

/** What a change does to its crate. */
export type ChangeKind = 'publish' | 'yank' | 'unyank' | 'owners' | 'remove'

/** What every change says of itself. */
export interface ChangeStamp {
  /** Unique; by it a writer whose answer was lost recognises its own change. */
  readonly id: string
  /** When it was accepted, `YYYY-MM-DDTHH:MM:SSZ`. */
  readonly at: string
  /** The principal's name. */
  readonly by: string
  /** The base URL of the registry that it came through, mount included. */
  readonly via: string
  /** Which credential was used; never the credential. */
  readonly tokenId?: string
}

/** What a publish tells beyond its index entry: shown to people, never used to resolve. */
export interface VersionDetails {
  /** Bytes of the `.crate` file. */
  readonly size: number
  readonly description?: string
  readonly documentation?: string
  readonly homepage?: string
  readonly repository?: string
  readonly license?: string
  readonly license_file?: string
  readonly readme_file?: string
  readonly edition?: string
  /** Absent in versions that were published before this was looked at, as is the next. */
  readonly has_lib?: boolean
  readonly bin_names?: readonly string[]
  readonly keywords: readonly string[]
  readonly categories: readonly string[]
  readonly authors: readonly string[]
}

export interface PublishChange extends ChangeStamp {
  readonly kind: 'publish'
  readonly entry: IndexEntry
  readonly details: VersionDetails
  /** Set by the first publish of a crate only. */
  readonly owners?: readonly string[]
}

export interface YankChange extends ChangeStamp {
  readonly kind: 'yank' | 'unyank'
  readonly vers: string
}

export interface OwnersChange extends ChangeStamp {
  readonly kind: 'owners'
  /** All owners after the change. */
  readonly owners: readonly string[]
}

export interface RemoveChange extends ChangeStamp {
  readonly kind: 'remove'
  /** Absent: the whole crate. */
  readonly vers?: string
}

/** One immutable step in the life of a crate. */
export type Change = PublishChange | YankChange | OwnersChange | RemoveChange

/** The stored form of a change. */
export function encodeChange(change: Change): Buffer {
  return sealJson({ schema: CHANGE_SCHEMA, ...change })
}

/**
 * Reads a stored change.
 * @throws {CargoError} `internal` when the bytes are no change, or one of a newer schema: damage or a downgrade, which
 * must not look like an absent change
 */
export function parseChange(bytes: Uint8Array): Change {
  const value = parseObject(bytes)
  if (value['schema'] !== CHANGE_SCHEMA && value['schema'] !== UNSEALED_SCHEMA) {
    throw new CargoError(
      'internal',
      `stored change has schema \`${String(value['schema'])}\`, this version reads ${CHANGE_SCHEMA}`,
    )
  }
  if (value['schema'] === CHANGE_SCHEMA && !isSealed(bytes)) {
    throw new CargoError('internal', 'stored change is damaged: its bytes do not have their checksum')
  }
  const { schema: _, seal: __, ...change } = value
  if (!isStamped(change) || !hasItsFields(change)) {
    throw new CargoError('internal', 'stored change lacks required fields')
  }
  return change as unknown as Change
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isObject(value)) return value
  } catch (cause) {
    throw new CargoError('internal', 'stored change is not JSON', { cause })
  }
  throw new CargoError('internal', 'stored change is not a JSON object')
}

function isStamped(change: Readonly<Record<string, unknown>>): boolean {
  return ['id', 'at', 'by', 'via'].every((field) => typeof change[field] === 'string')
}

function hasItsFields(change: Readonly<Record<string, unknown>>): boolean {
  switch (change['kind']) {
    case 'publish':
      return isObject(change['entry']) && isObject(change['details'])
    case 'yank':
    case 'unyank':
      return typeof change['vers'] === 'string'
    case 'owners':
      return Array.isArray(change['owners'])
    case 'remove':
      return true
    default:
      return false
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
