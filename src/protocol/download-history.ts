import { createHash } from 'node:crypto'
import { addDays } from './day.ts'
import { addVersions, parseVersions, type VersionCounts } from './download-counts.ts'
import { encodeSealedLines, findSealedLine, readSealedLines } from './sealed-lines.ts'

/** The version of the stored form of a part of the history. */
const HISTORY_SCHEMA = 1
/** What counts as recent, today included: as on crates.io. */
export const RECENT_DAYS = 90

/** What is known of a crate's downloads up to some day. */
export interface CrateHistory {
  /** Ever. */
  readonly versions: VersionCounts
  /** The last 90 days of them, those that have any. */
  readonly days: Readonly<Record<string, VersionCounts>>
}

/** The history after `day`, which follows all days in it; days that are no longer recent then are in the sum only. */
export function foldDay(
  { versions, days }: CrateHistory,
  day: string,
  counts: VersionCounts | undefined,
): CrateHistory {
  const first = firstRecentDay(day)
  const kept = Object.entries(days).filter(([before]) => before >= first)
  if (counts === undefined) return { versions, days: Object.fromEntries(kept) }
  return { versions: addVersions(versions, counts), days: Object.fromEntries([...kept, [day, counts]]) }
}

/** The first of the 90 days that end with `today`. */
export function firstRecentDay(today: string): string {
  return addDays(today, 1 - RECENT_DAYS)
}

/** Which of so many parts of the history a crate is in; twice as many parts halve each. */
export function partOf(name: string, parts: number): number {
  return createHash('sha256').update(name).digest().readUInt32BE(0) % parts
}

/** The stored form of a part of the history up to `day`. */
export function encodeHistory(
  day: string,
  crates: Iterable<readonly [name: string, history: CrateHistory]>,
): Generator<undefined, Buffer> {
  return encodeSealedLines({ schema: HISTORY_SCHEMA, day }, crates)
}

/**
 * Reads a part of the history, in turns.
 * @throws {CargoError} `internal` when the bytes are damaged, or of another schema
 */
export function* readHistory(
  bytes: Buffer,
  each: (name: string, history: CrateHistory) => void,
): Generator<undefined, void> {
  yield* readSealedLines(bytes, HISTORY_SCHEMA, (name, value) => each(name, parseCrate(value)))
}

/**
 * One crate of a part of the history; `undefined` when it is not in it.
 * @throws {CargoError} as {@link readHistory}
 */
export function findHistory(bytes: Buffer, name: string): CrateHistory | undefined {
  const found = findSealedLine(bytes, HISTORY_SCHEMA, name)
  return found === undefined ? undefined : parseCrate(found)
}

/** The seal vouches for the form. */
function parseCrate(value: unknown): CrateHistory {
  const { versions, days } = Object(value)
  return { versions: parseVersions(versions), days }
}
