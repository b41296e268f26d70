import { CargoError } from '../errors.ts'
import type { Change, ChangeStamp, PublishChange, RemoveChange, VersionDetails } from './change.ts'
import type { IndexEntry } from './index-entry.ts'
import { type Claimant, isOwner, mustOwn, withOwners, withoutOwners } from './ownership.ts'
import type { CrateRecord } from './record.ts'
import { versionKey } from './version.ts'

/** What a publisher wants to add. */
export interface Publication {
  readonly entry: IndexEntry
  readonly details: VersionDetails
}

/**
 * Judges a publish before its tarball is known.
 * @throws {CargoError} `forbidden` for another's crate, `already_exists` for a taken name or version
 */
export function mustBeNew(record: CrateRecord | undefined, name: string, vers: string, who: Claimant): void {
  if (record === undefined) return
  if (record.removed) {
    throw new CargoError(
      'already_exists',
      `crate \`${record.name}\` was removed: its name cannot be used again`,
    )
  }
  mustOwn(record, who)
  if (record.name !== name) {
    throw new CargoError(
      'already_exists',
      `crate name \`${name}\` is taken: it differs from \`${record.name}\` only in case, \`-\` or \`_\``,
    )
  }
  const key = versionKey(vers)
  const taken = record.versions.get(key)
  if (taken !== undefined) {
    const twin =
      taken.entry.vers === vers ? '' : `: \`${taken.entry.vers}\` differs from it only in build metadata`
    throw new CargoError('already_exists', `crate version \`${name}@${vers}\` already exists${twin}`)
  }
  if (record.removedVersions.has(key)) {
    throw new CargoError(
      'already_exists',
      `crate version \`${name}@${vers}\` was removed: its number cannot be used again`,
    )
  }
}

/**
 * The change that publishes, or why not.
 * @throws {CargoError} as `mustBeNew`
 */
export function decidePublish(
  record: CrateRecord | undefined,
  { entry, details }: Publication,
  who: Claimant,
  stamp: ChangeStamp,
): PublishChange {
  mustBeNew(record, entry.name, entry.vers, who)
  return { kind: 'publish', ...stamp, entry, details, ...(record === undefined && { owners: [who.name] }) }
}

/**
 * The change that yanks or unyanks; `undefined` when the version is in that state already.
 * @throws {CargoError} `not_found` for an unknown version, `forbidden` for another's crate
 */
export function decideYank(
  record: CrateRecord | undefined,
  { name, vers, yank }: { readonly name: string; readonly vers: string; readonly yank: boolean },
  who: Claimant,
  stamp: ChangeStamp,
): Change | undefined {
  const found = mustExist(record, name)
  mustOwn(found, who)
  const version = found.versions.get(versionKey(vers))
  if (version === undefined || version.entry.vers !== vers) throw unknownVersion(name, vers)
  if (version.entry.yanked === yank) return undefined
  return { kind: yank ? 'yank' : 'unyank', ...stamp, vers }
}

/**
 * The change that adds or removes owners; `undefined` when nothing would change.
 * @throws {CargoError} `not_found`, `forbidden`, or `invalid_owner`
 */
export function decideOwners(
  record: CrateRecord | undefined,
  {
    name,
    add,
    remove,
  }: { readonly name: string; readonly add?: readonly string[]; readonly remove?: readonly string[] },
  who: Claimant,
  stamp: ChangeStamp,
): Change | undefined {
  const found = mustExist(record, name)
  mustOwn(found, who)
  const owners = add !== undefined ? withOwners(found, add) : withoutOwners(found, remove ?? [])
  return owners.length === found.owners.length ? undefined : { kind: 'owners', ...stamp, owners }
}

/**
 * The change that removes a version, or without `vers` the whole crate; `undefined` when it is removed already.
 * Whoever could not have removed it hears of a removed crate as of one that never was.
 * @throws {CargoError} `not_found` for an unknown crate or version, `forbidden` for another's crate
 */
export function decideRemove(
  record: CrateRecord | undefined,
  { name, vers }: { readonly name: string; readonly vers?: string | undefined },
  who: Claimant,
  stamp: ChangeStamp,
): RemoveChange | undefined {
  if (record?.name !== name || (record.removed && !isOwner(record, who))) throw unknownCrate(name)
  mustOwn(record, who)
  if (vers === undefined) return record.removed ? undefined : { kind: 'remove', ...stamp }
  const key = versionKey(vers)
  if (record.versions.get(key)?.entry.vers === vers) return { kind: 'remove', ...stamp, vers }
  if (record.removedVersions.has(key)) return undefined
  throw unknownVersion(name, vers)
}

/**
 * The record, if the crate is there under exactly this name.
 * @throws {CargoError} `not_found`
 */
export function mustExist(record: CrateRecord | undefined, name: string): CrateRecord {
  if (record === undefined || record.removed || record.name !== name) throw unknownCrate(name)
  return record
}

/** The answer for a crate that does not exist, and for one that the caller may not know of. */
export function unknownCrate(name: string): CargoError {
  return new CargoError('not_found', `crate \`${name}\` does not exist`)
}

/** The answer for a version that does not exist. */
export function unknownVersion(name: string, vers: string): CargoError {
  return new CargoError('not_found', `crate \`${name}\` does not have a version \`${vers}\``)
}
