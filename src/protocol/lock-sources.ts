import type { LockedPackage } from './lock-file.ts'
import { isCratesIo } from './registry-url.ts'

/** The packages of a lock file by where they come from. */
export interface SortedPackages {
  /** From crates.io or this registry: what the registry serves. */
  readonly ours: readonly LockedPackage[]
  /** How many there are of each other source. */
  readonly others: ReadonlyMap<string, number>
}

/** Packages of the workspace itself, which have no source, are left out. */
export function sortPackages(
  packages: readonly LockedPackage[],
  isThisRegistry: (url: string) => boolean,
): SortedPackages {
  const ours: LockedPackage[] = []
  const others = new Map<string, number>()
  for (const one of packages) {
    const { source } = one
    if (source === undefined) continue
    const url = source.replace(/^registry\+/, '')
    if (isCratesIo(url) || isThisRegistry(url)) ours.push(one)
    else others.set(source, (others.get(source) ?? 0) + 1)
  }
  return { ours, others }
}
