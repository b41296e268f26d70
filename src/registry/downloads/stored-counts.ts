import type { ListedObject, Logger } from '../../host.ts'
import { dayOf } from '../../protocol/day.ts'
import { addVersions, readDayCounts, type VersionCounts } from '../../protocol/download-counts.ts'
import { inTurns } from '../in-turns.ts'
import { type RegistryStorage, readBytes } from '../reliable-storage.ts'
import { singleFlight } from '../single-flight.ts'
import { listCounts } from './listed-counts.ts'

/** What is stored is looked at this often, when somebody asks. */
const REFRESH_MS = 60_000

/** Downloads of a day, by canonical name. */
export type DayCounts = ReadonlyMap<string, VersionCounts>

/** All that was known at a moment. */
export interface CountsSnapshot {
  readonly today: string
  /** The oldest first. */
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
    const { days } = await listCounts(storage)
    const next = new Map<string, KnownDay>()
    for (const [day, files] of days) {
      const fingerprint = fingerprintOf(files)
      const before = known.get(day)
      const isSame = before?.fingerprint === fingerprint
      next.set(day, isSame ? before : { fingerprint, counts: await readDay(storage, logger, files) })
    }
    known = next
    lookedAt = startedAt
    last = { today: dayOf(now()), days: new Map([...next].map(([day, { counts }]) => [day, counts])) }
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

/** What is damaged is worth nothing, and no reason to count nothing else. */
async function readDay(
  storage: RegistryStorage,
  logger: Logger,
  files: readonly ListedObject[],
): Promise<DayCounts> {
  const counts = new Map<string, VersionCounts>()
  for (const { key } of files) {
    const object = await storage.get(key)
    if (object === undefined) continue
    const bytes = await readBytes(object)
    try {
      await inTurns(
        readDayCounts(bytes, (name, versions) => {
          const before = counts.get(name)
          counts.set(name, before === undefined ? versions : addVersions(before, versions))
        }),
      )
    } catch (error) {
      logger.error({ err: error, key }, 'integrity: stored download counts are damaged and are left out')
    }
  }
  return counts
}
