import { addDays } from '../protocol/day.ts'
import { addVersions, sumOf, type VersionCounts } from '../protocol/download-counts.ts'
import { canonicalName } from '../protocol/name.ts'
import { createOwnCounts } from './downloads/own-counts.ts'
import { type CountsSnapshot, createStoredCounts, type StoredCountsDeps } from './downloads/stored-counts.ts'

/** What is new is stored so often, and so much a kill may lose. */
const FLUSH_MS = 60_000
/** What counts as recent, today included: as on crates.io. */
export const RECENT_DAYS = 90

/** How often a crate was downloaded: whole files that were completely sent, by all replicas, a minute or two ago. */
export interface CrateDownloads {
  /** Ever. */
  readonly total: number
  /** On the last 90 days. */
  readonly recent: number
  /** Ever, by version; also of those that were removed since. */
  readonly versions: ReadonlyMap<string, number>
  /** Those of the last 90 days (UTC) that have any, the oldest first. */
  readonly days: readonly DayDownloads[]
}

export interface DayDownloads {
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string
  readonly versions: ReadonlyMap<string, number>
}

/** Downloads of all crates, by canonical name: also of those that were removed, or that not everybody may read. */
export interface DownloadTotals {
  readonly total: number
  readonly crates: ReadonlyMap<string, { readonly total: number; readonly recent: number }>
}

/**
 * Counts downloads, and tells them. Each process overwrites objects of its own, so that none waits for another; what
 * is told is the sum of all.
 */
export interface DownloadCounts {
  /** One more download; stored later, and never a failure of the download. */
  count(name: string, version: string): void
  /** @throws {CargoError} `unavailable` when the store is away and nothing is known yet */
  of(name: string): Promise<CrateDownloads>
  /** @throws {CargoError} as {@link DownloadCounts.of} */
  totals(): Promise<DownloadTotals>
  /** Stores what is new, now; what cannot be stored is tried again later. */
  flush(): Promise<void>
  /** Stores what is new, and nothing more. */
  close(): Promise<void>
}

/** The counts in `storage`. */
export function createDownloadCounts(deps: StoredCountsDeps): DownloadCounts {
  const own = createOwnCounts(deps)
  const stored = createStoredCounts(deps)
  let timer: NodeJS.Timeout | undefined
  let queue: Promise<void> = Promise.resolve()
  let closed = false

  /** One at a time: a slow store must not get the same object twice at once. */
  function flush(): Promise<void> {
    queue = queue.then(async () => {
      if (await own.flush()) stored.expire()
    })
    return queue
  }

  function schedule(): void {
    if (timer !== undefined || closed || !own.isPending()) return
    timer = setTimeout(() => {
      timer = undefined
      void flush().then(schedule)
    }, FLUSH_MS).unref()
  }

  return {
    count(name, version) {
      own.count(name, version)
      schedule()
    },
    of: async (name) => downloadsOf(await stored.read(), canonicalName(name)),
    totals: async () => totalsOf(await stored.read()),
    flush,
    async close() {
      closed = true
      clearTimeout(timer)
      await flush()
    },
  }
}

function downloadsOf({ today, days }: CountsSnapshot, key: string): CrateDownloads {
  let versions: VersionCounts = {}
  const recent: DayDownloads[] = []
  for (const [day, counts] of days) {
    const ofDay = counts.get(key)
    if (ofDay === undefined) continue
    versions = addVersions(versions, ofDay)
    if (isRecent(day, today)) recent.push({ day, versions: new Map(Object.entries(ofDay)) })
  }
  return {
    total: sumOf(versions),
    recent: recent.reduce((sum, day) => [...day.versions.values()].reduce((a, b) => a + b, sum), 0),
    versions: new Map(Object.entries(versions)),
    days: recent,
  }
}

function totalsOf({ today, days }: CountsSnapshot): DownloadTotals {
  const crates = new Map<string, { total: number; recent: number }>()
  let all = 0
  for (const [day, counts] of days) {
    for (const [name, versions] of counts) {
      const sum = sumOf(versions)
      const { total, recent } = crates.get(name) ?? { total: 0, recent: 0 }
      crates.set(name, { total: total + sum, recent: recent + (isRecent(day, today) ? sum : 0) })
      all += sum
    }
  }
  return { total: all, crates }
}

function isRecent(day: string, today: string): boolean {
  return day > addDays(today, -RECENT_DAYS) && day <= today
}
