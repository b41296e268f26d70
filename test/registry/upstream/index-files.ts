import type { IndexDep, IndexEntry } from '../../../src/protocol/index-entry.ts'
import { indexEntry } from '../../support/changes.ts'

/** A dependency in an index entry: normal, required, on every platform. */
export function dep(name: string, fields: Partial<IndexDep> = {}): IndexDep {
  const rest = { optional: false, default_features: true, target: null, kind: 'normal' } as const
  return { name, req: '^1', features: [], ...rest, ...fields }
}

/** Entries of one crate, the oldest first, with what each depends on. */
export function file(
  name: string,
  versions: Readonly<Record<string, readonly (string | IndexDep)[]>>,
  fields: Partial<IndexEntry> = {},
): readonly IndexEntry[] {
  return Object.entries(versions).map(([vers, deps]) =>
    indexEntry({
      name,
      vers,
      deps: deps.map((one) => (typeof one === 'string' ? dep(one) : one)),
      ...fields,
    }),
  )
}
