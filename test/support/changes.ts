import type { Change, ChangeStamp, PublishChange } from '../../src/protocol/change.ts'
import type { IndexEntry } from '../../src/protocol/index-entry.ts'
import { type CrateRecord, foldChange } from '../../src/protocol/record.ts'

let stamps = 0

/** Who, when and through what; every call has an id of its own. */
export function stamp(fields: Partial<ChangeStamp> = {}): ChangeStamp {
  return {
    id: `change-${++stamps}`,
    at: '2026-01-02T03:04:05Z',
    by: 'ann',
    via: 'http://registry.test',
    ...fields,
  }
}

/** A sound index entry. */
export function indexEntry(fields: Partial<IndexEntry> = {}): IndexEntry {
  return {
    name: 'foo',
    vers: '1.0.0',
    deps: [],
    cksum: 'a'.repeat(64),
    features: {},
    yanked: false,
    ...fields,
  }
}

/** A publish of `name` by ann, who becomes its owner if it is the first. */
export function publishing(
  name: string,
  vers: string,
  fields: Partial<Omit<PublishChange, 'kind'>> = {},
): PublishChange {
  return {
    kind: 'publish',
    ...stamp(),
    entry: indexEntry({ name, vers }),
    details: { size: 100, description: `The crate ${name}`, keywords: [], categories: [], authors: [] },
    owners: ['ann'],
    ...fields,
  }
}

/** What a log of these changes means. */
export function recordOf(...changes: readonly Change[]): CrateRecord {
  let record: CrateRecord | undefined
  for (const [index, change] of changes.entries()) record = foldChange(record, index + 1, change)
  if (record === undefined) throw new Error('a record needs a change')
  return record
}

/** What a record says, to be compared. */
export function plain(record: CrateRecord | undefined): object | undefined {
  return record && { ...record, versions: [...record.versions] }
}
