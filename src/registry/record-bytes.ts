import type { CrateRecord } from '../protocol/record.ts'

const sizes = new WeakMap<CrateRecord, number>()

/** About as many bytes of memory as a record takes, or to know that there is none; added up once for each. */
export function recordBytes({ record }: { readonly record: CrateRecord | undefined }): number {
  if (record === undefined) return 200
  const known = sizes.get(record)
  if (known !== undefined) return known
  let bytes = 1000
  // A line, its parsed entry and the rendered file: about four times the line.
  for (const { line } of record.versions.values()) bytes += 500 + 4 * line.length
  sizes.set(record, bytes)
  return bytes
}
