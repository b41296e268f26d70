import { encodeSealedLines, readSealedLines } from './sealed-lines.ts'

/** The version of the stored form of a day's counts. */
const DAY_SCHEMA = 1

/** Downloads by version. */
export type VersionCounts = Readonly<Record<string, number>>

/** The stored form of what one process counted on a day, by canonical name. */
export function encodeDayCounts(
  day: string,
  counts: Iterable<readonly [name: string, versions: VersionCounts]>,
): Generator<undefined, Buffer> {
  return encodeSealedLines({ schema: DAY_SCHEMA, day }, counts)
}

/**
 * Reads the counts of a process, in parts.
 * @throws {CargoError} `internal` when the bytes are damaged, or of another schema
 */
export function* readDayCounts(
  bytes: Buffer,
  each: (name: string, versions: VersionCounts) => void,
): Generator<undefined, void> {
  yield* readSealedLines(bytes, DAY_SCHEMA, (name, value) => each(name, parseVersions(value)))
}

/** What both come to. */
export function addVersions(a: VersionCounts, b: VersionCounts): VersionCounts {
  const sum = { ...a }
  for (const [version, count] of Object.entries(b)) sum[version] = (sum[version] ?? 0) + count
  return sum
}

export function sumOf(versions: VersionCounts): number {
  let sum = 0
  for (const version in versions) sum += versions[version] ?? 0
  return sum
}

/** The seal vouches for the form. */
export function parseVersions(value: unknown): VersionCounts {
  return Object(value) as VersionCounts
}
