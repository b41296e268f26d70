import type { CrateView, VersionView } from '../../protocol/crate-view.ts'
import { defaultVersion } from '../../protocol/crate-view.ts'
import type { Page } from '../../protocol/crates-query.ts'
import { namesCollide } from '../../protocol/name.ts'
import type { Matches } from '../catalogue/matches.ts'
import type { KnownCrates } from '../crate-view.ts'
import type { CrateDownloads, DownloadCounts } from '../download-counts.ts'
import { inOrder, visibleRows } from './find-crates.ts'
import type { Downloads } from './order.ts'
import type { VisibleCrates } from './visible-crates.ts'

/** A crate that depends on another one. */
export interface Dependent {
  readonly view: CrateView
  /** The version that stands for it, which has the dependency. */
  readonly version: VersionView
  readonly downloads: CrateDownloads
}

export interface Dependents {
  readonly crates: readonly Dependent[]
  /** All of them, not only those of the page. */
  readonly total: number
}

export interface DependentsDeps extends KnownCrates {
  readonly downloads: Downloads
  readonly counts: Pick<DownloadCounts, 'of'>
}

/**
 * The crates whose version that stands for them depends on `name`, in whatever way: those of the first catalogue first,
 * the most downloaded of each first.
 */
export async function findDependents(
  all: readonly VisibleCrates[],
  name: string,
  { perPage, page }: Page,
  { knownCrate, downloads, counts }: DependentsDeps,
  pause: () => Promise<void>,
): Promise<Dependents> {
  const names: string[] = []
  let [skip, total] = [(page - 1) * perPage, 0]
  for (const crates of all) {
    const { table } = crates
    const found: Matches = await visibleRows(crates, { dependency: name }, pause)
    const window = [skip, skip + perPage - names.length] as const
    const rows = await inOrder(table, found, 'downloads', downloads, window, pause)
    names.push(...rows.map(table.spellingOf))
    skip = Math.max(0, skip - found.total)
    total += found.total
  }
  const crates = await Promise.all(
    names.map(async (dependent): Promise<readonly Dependent[]> => {
      const view = await knownCrate(dependent)
      if (view === undefined) return []
      const version = defaultVersion(view.versions)
      // The catalogue may be a moment behind the crate.
      if (!version.entry.deps.some((dep) => namesCollide(dep.package ?? dep.name, name))) return []
      return [{ view, version, downloads: await counts.of(view.name) }]
    }),
  )
  return { crates: crates.flat(), total }
}
