import type { CargoEvent, Principal } from '../host.ts'
import type { ChangeStamp } from '../protocol/change.ts'
import { decideOwners, decideRemove, decideYank, unknownCrate } from '../protocol/decide.ts'
import type { CrateName } from '../protocol/name.ts'
import type { CrateRecord } from '../protocol/record.ts'
import type { Version } from '../protocol/version.ts'
import type { Access, Caller } from './access.ts'
import type { CrateLog } from './crate-log.ts'

/** What owners and administrators do to a crate that is there. */
export interface CrateChanges {
  setYanked(caller: Caller, name: CrateName, version: Version, yank: boolean): Promise<void>
  changeOwners(caller: Caller, name: CrateName, change: OwnersChange): Promise<readonly string[]>
  /**
   * Removes a version, or without one the whole crate; its number or name is never free again. Nothing happens the
   * second time.
   * @throws {CargoError} `not_found`, also for those who may not read the crate; `forbidden`
   */
  remove(caller: Caller, name: CrateName, version?: Version): Promise<void>
}

/** Logins to add or to remove. */
export type OwnersChange = { readonly add: readonly string[] } | { readonly remove: readonly string[] }

export interface CrateChangesDeps {
  readonly access: Access
  readonly log: CrateLog
  stamp(caller: Caller, principal: Principal): ChangeStamp
  /** Tells the catalogue. */
  noteChange(name: string): Promise<void>
  announce(kind: CargoEvent['kind'], caller: Caller, crate: string, more: Partial<CargoEvent>): void
}

export function createCrateChanges(deps: CrateChangesDeps): CrateChanges {
  const { access, log, stamp, noteChange, announce } = deps
  return {
    async setYanked(caller, name, vers, yank) {
      const who = await access.mustWrite(caller, 'yank', name)
      const claimant = await access.claimant(caller, who, name)
      await log.append(name, (record) =>
        decideYank(record, { name, vers, yank }, claimant, stamp(caller, who)),
      )
      await noteChange(name)
      announce(yank ? 'yank' : 'unyank', caller, name, { version: vers })
    },

    async changeOwners(caller, name, change) {
      const who = await access.mustWrite(caller, 'owners', name)
      const claimant = await access.claimant(caller, who, name)
      const record = await log.append(name, (found) =>
        decideOwners(found, { name, ...change }, claimant, stamp(caller, who)),
      )
      await noteChange(name)
      announce('owners', caller, name, { detail: { ...change, owners: record?.owners } })
      return record?.owners ?? []
    },

    async remove(caller, name, vers) {
      const who = await access.mustWrite(caller, 'unpublish', name)
      const claimant = await access.claimant(caller, who, name)
      if (!claimant.admin && !(await access.may(caller, 'read', name))) throw unknownCrate(name)
      let versions: readonly string[] | undefined
      await log.append(name, (record) => {
        const change = decideRemove(record, { name, vers }, claimant, stamp(caller, who))
        versions = change && (vers === undefined ? versionsOf(record) : [vers])
        return change
      })
      if (versions === undefined) return
      await noteChange(name)
      const what = vers === undefined ? { detail: { versions } } : { version: vers }
      announce('remove', caller, name, what)
    },
  }
}

function versionsOf(record: CrateRecord | undefined): readonly string[] {
  return [...(record?.versions.values() ?? [])].map(({ entry }) => entry.vers)
}
