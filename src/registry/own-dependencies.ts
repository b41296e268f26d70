import type { IndexEntry } from '../protocol/index-entry.ts'
import { validateName } from '../protocol/name.ts'
import type { Access, Caller } from './access.ts'
import type { CrateLog } from './crate-log.ts'

export interface OwnDependenciesDeps {
  readonly access: Pick<Access, 'may'>
  readonly log: Pick<CrateLog, 'read'>
  /** Whether an uplink may be asked for a name. */
  isProxied(name: string): boolean
}

/**
 * What is wrong with the dependencies on this registry itself: no such crate, or one in another spelling, which cargo
 * does not find either. Crates that the caller may not read look like crates that do not exist; what an uplink may
 * have is not looked for.
 */
export async function checkOwnDependencies(
  { access, log, isProxied }: OwnDependenciesDeps,
  caller: Caller,
  { name: self, deps }: Pick<IndexEntry, 'name' | 'deps'>,
): Promise<string[]> {
  const own = deps.filter(({ registry }) => (registry ?? null) === null)
  const names = new Set(own.map((dep) => dep.package ?? dep.name))
  // A crate may test itself against its own older versions.
  names.delete(self)
  const complaints = await Promise.all(
    [...names].map(async (name) => {
      const { record } = await log.read(validateName(name))
      if (record === undefined && isProxied(name)) return []
      const isKnown =
        record !== undefined && record.versions.size > 0 && (await access.may(caller, 'read', record.name))
      if (!isKnown) return [`dependency \`${name}\` is not in this registry: must be published before`]
      return record.name === name
        ? []
        : [`dependency \`${name}\` is called \`${record.name}\` in this registry: must be spelled the same`]
    }),
  )
  return complaints.flat()
}
