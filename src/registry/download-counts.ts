import { dayOf } from '../protocol/day.ts'
import { addVersions, sumOf } from '../protocol/download-counts.ts'
import { type CrateHistory, firstRecentDay } from '../protocol/download-history.ts'
import { canonicalName } from '../protocol/name.ts'
import { foldOldestDay } from './downloads/fold.ts'
import { createHistory, type DownloadSums } from './downloads/history.ts'
import { createOwnCounts } from './downloads/own-counts.ts'
import { type CountsSnapshot, createStoredCounts, type StoredCountsDeps } from './downloads/stored-counts.ts'
import { inTurns } from './in-turns.ts'

/** What is new is stored so often, and so much a kill may lose. */
const FLUSH_MS = 60_000
/** So many are looked at before others have their turn. */
const NAMES_IN_A_TURN = 1000
const NEVER: DownloadSums = { total: 0, recent: 0 }

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
  readonly crates: ReadonlyMap<string, DownloadSums>
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
  /** Folds one more day that is over into the history, if there is one; whether there was. */
  fold(): Promise<boolean>
  /** Stores what is new, and nothing more. */
  close(): Promise<void>
}

/** The counts in `storage`. */
export function createDownloadCounts(deps: StoredCountsDeps): DownloadCounts {
  const { logger, now } = deps
  const own = createOwnCounts(deps)
  const stored = createStoredCounts(deps)
  const history = createHistory(deps)
  const totals = new WeakMap<CountsSnapshot, Promise<DownloadTotals>>()
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let queue: Promise<unknown> = Promise.resolve()
  let foldedOn = ''

  /** One at a time: a slow store must not get the same object twice at once. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = queue.then(work)
    queue = turn.catch(() => {})
    return turn
  }

  const flush = () =>
    inTurn(async () => {
      if (await own.flush()) stored.expire()
    })

  const fold = () =>
    inTurn(async () => {
      const isFolded = await foldOldestDay(deps, dayOf(now()), stopping.signal)
      if (isFolded) stored.expire()
      return isFolded
    })

  /** One day at a time: whoever reads the generation before has a minute to go on to the next. */
  async function foldOncePerDay(): Promise<void> {
    const today = dayOf(now())
    if (foldedOn === today) return
    try {
      if (!(await fold())) foldedOn = today
    } catch (error) {
      logger.warn({ err: error }, 'download counts of past days were not folded, that is tried again later')
    }
  }

  function schedule(): void {
    if (timer !== undefined || stopping.signal.aborted || !own.isPending()) return
    timer = setTimeout(async () => {
      await flush()
      await foldOncePerDay()
      timer = undefined
      schedule()
    }, FLUSH_MS).unref()
  }

  async function sumUp(snapshot: CountsSnapshot): Promise<DownloadTotals> {
    const { generation, today } = snapshot
    const before = generation === undefined ? new Map() : await history.sums(generation, today)
    return inTurns(addUp(snapshot, before))
  }

  return {
    count(name, version) {
      own.count(name, version)
      schedule()
    },
    async of(name) {
      const snapshot = await stored.read()
      const { generation } = snapshot
      const key = canonicalName(name)
      const before = generation === undefined ? undefined : await history.of(generation, key)
      return downloadsOf(snapshot, before, key)
    },
    async totals() {
      const snapshot = await stored.read()
      const known = totals.get(snapshot) ?? sumUp(snapshot)
      totals.set(snapshot, known)
      // What failed is tried again by whoever asks next.
      known.catch(() => totals.delete(snapshot))
      return known
    },
    flush,
    fold,
    async close() {
      stopping.abort()
      clearTimeout(timer)
      await flush()
    },
  }
}

function downloadsOf(
  { today, days }: CountsSnapshot,
  history: CrateHistory | undefined,
  key: string,
): CrateDownloads {
  let versions = history?.versions ?? {}
  const byDay = Object.entries(history?.days ?? {})
  for (const [day, counts] of days) {
    const ofDay = counts.get(key)
    if (ofDay === undefined) continue
    versions = addVersions(versions, ofDay)
    byDay.push([day, ofDay])
  }
  const first = firstRecentDay(today)
  const recent = byDay.filter(([day]) => day >= first)
  return {
    total: sumOf(versions),
    recent: recent.reduce((sum, [, ofDay]) => sum + sumOf(ofDay), 0),
    versions: new Map(Object.entries(versions)),
    days: recent.map(([day, ofDay]) => ({ day, versions: new Map(Object.entries(ofDay)) })),
  }
}

/** What the days that are not over add to the history. */
function* addUp(
  { today, days }: CountsSnapshot,
  history: ReadonlyMap<string, DownloadSums>,
): Generator<undefined, DownloadTotals> {
  const crates = new Map(history)
  const first = firstRecentDay(today)
  let done = 0
  for (const [day, counts] of days) {
    for (const [name, versions] of counts) {
      const sum = sumOf(versions)
      const { total, recent } = crates.get(name) ?? NEVER
      crates.set(name, { total: total + sum, recent: recent + (day >= first ? sum : 0) })
      done += 1
      if (done % NAMES_IN_A_TURN === 0) yield
    }
  }
  let all = 0
  for (const { total } of crates.values()) all += total
  return { total: all, crates }
}
