import type { ListedObject, Logger } from '../../host.ts'
import { dayOf } from '../../protocol/day.ts'
import type { RegistryStorage } from '../reliable-storage.ts'
import { singleFlight } from '../single-flight.ts'
import { type Generation, listCounts } from './listed-counts.ts'
import { type DayCounts, readDay } from './read-day.ts'

/** What is stored is looked at this often, when somebody asks. */
const REFRESH_MS = 60_000

/** All that was known at a moment. */
export interface CountsSnapshot {
  readonly today: string
  /** The downloads of the days that are over, if there are any. */
  readonly generation: Generation | undefined
  /** The days that are not in it, the oldest first. */
  readonly days: ReadonlyMap<string, DayCounts>
}

/** What all processes stored. */
export interface StoredCounts {
  /** At most a minute old; older only while the store is away. */
  read(): Promise<CountsSnapshot>
  /** The next reader looks again. */
  expire(): void
}

export interface StoredCountsDeps {
  readonly storage: RegistryStorage
  readonly logger: Logger
  readonly now: () => Date
  readonly monotonic: () => number
}

/** The counts of a day, and of which objects they are. */
interface KnownDay {
  readonly fingerprint: string
  readonly counts: DayCounts
}

export function createStoredCounts({ storage, logger, now, monotonic }: StoredCountsDeps): StoredCounts {
  const flight = singleFlight<CountsSnapshot>()
  let known: ReadonlyMap<string, KnownDay> = new Map()
  let last: CountsSnapshot | undefined
  let lookedAt = Number.NEGATIVE_INFINITY

  async function look(): Promise<CountsSnapshot> {
    const startedAt = monotonic()
    const { days, generations } = await listCounts(storage)
    const generation = generations.at(-1)
    const next = new Map<string, KnownDay>()
    for (const [day, files] of days) {
      if (day <= (generation?.through ?? '')) continue
      const fingerprint = fingerprintOf(files)
      const before = known.get(day)
      const isSame = before?.fingerprint === fingerprint
      next.set(day, isSame ? before : { fingerprint, counts: await readDay({ storage, logger }, files) })
    }
    known = next
    lookedAt = startedAt
    const counts = [...next].map(([day, { counts }]) => [day, counts] as const)
    last = { today: dayOf(now()), generation, days: new Map(counts) }
    return last
  }

  return {
    async read() {
      if (last !== undefined && monotonic() - lookedAt < REFRESH_MS) return last
      try {
        return await flight.run('look', look)
      } catch (error) {
        if (last === undefined) throw error
        logger.warn({ err: error }, 'download counts cannot be read: the last ones known are shown')
        return last
      }
    },
    expire() {
      lookedAt = Number.NEGATIVE_INFINITY
    },
  }
}

function fingerprintOf(files: readonly ListedObject[]): string {
  return files.map(({ key, size, modified }) => `${key} ${size} ${modified.getTime()}`).join()
}
