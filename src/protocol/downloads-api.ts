import { CargoError } from '../errors.ts'
import { type CrateView, highestFirst, type VersionView } from './crate-view.ts'
import { isDay } from './day.ts'
import { quote } from './text.ts'
import { versionId } from './version-api.ts'

/** The downloads of this many versions are told one by one, those of all others together: as on crates.io. */
const SINGLE_VERSIONS = 5

/** How often the files of a crate were fetched from this registry; for crates of uplinks, through it and nowhere else. */
export interface Downloads {
  readonly total: number
  /** Those of the last 90 days. */
  readonly recent: number
  /** By version. */
  readonly versions: ReadonlyMap<string, number>
  /** Those of the last 90 days that have any, the oldest first. */
  readonly days: readonly DayOfDownloads[]
}

export interface DayOfDownloads {
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string
  readonly versions: ReadonlyMap<string, number>
}

/** The answer to `GET /api/v1/crates/{crate}/downloads`. */
export function renderDownloads(view: CrateView, { days }: Downloads) {
  const versions = highestFirst(view)
  const others = versions.slice(SINGLE_VERSIONS).map(({ entry }) => entry.vers)
  const extra = days.map(({ day, versions: counts }) => ({
    date: day,
    downloads: others.reduce((sum, number) => sum + (counts.get(number) ?? 0), 0),
  }))
  return {
    version_downloads: versionDownloads(view, versions.slice(0, SINGLE_VERSIONS), days),
    meta: { extra_downloads: extra.filter(({ downloads }) => downloads > 0) },
  }
}

/** The answer to `GET /api/v1/crates/{crate}/{version}/downloads`, up to a day, that one included. */
export function renderVersionDownloads(
  view: CrateView,
  version: VersionView,
  { days }: Downloads,
  lastDay: string | undefined,
) {
  const wanted = lastDay === undefined ? days : days.filter(({ day }) => day <= lastDay)
  return { version_downloads: versionDownloads(view, [version], wanted) }
}

/**
 * Reads `before_date=2026-01-31`.
 * @throws {CargoError} `invalid_request` for what is no day
 */
export function parseDay(text: string): string {
  if (isDay(text)) return text
  throw new CargoError('invalid_request', `invalid before_date ${quote(text)}: must be a day, \`2026-01-31\``)
}

function versionDownloads(
  view: CrateView,
  versions: readonly VersionView[],
  days: readonly DayOfDownloads[],
) {
  return days.flatMap(({ day, versions: counts }) =>
    versions.flatMap(({ entry: { vers } }) => {
      const downloads = counts.get(vers)
      return downloads === undefined ? [] : [{ version: versionId(view, vers), downloads, date: day }]
    }),
  )
}
