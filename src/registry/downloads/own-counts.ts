import { randomUUID } from 'node:crypto'
import type { Logger } from '../../host.ts'
import { addDays, dayOf } from '../../protocol/day.ts'
import { encodeDayCounts } from '../../protocol/download-counts.ts'
import { inTurns } from '../in-turns.ts'
import { dayCountsKey } from '../keys.ts'
import { knownKeys } from '../known-keys.ts'
import type { RegistryStorage } from '../reliable-storage.ts'

/**
 * For so many days after its own a day's counts may still be stored: well before others fold the day into the history,
 * whatever their clocks say.
 */
const MAX_DAYS_LATE = 1

/** What this process counts, day by day, until it is stored. */
export interface OwnCounts {
  /** One more download, of today. */
  count(name: string, version: string): void
  /** Stores what is new; whether anything was. What could not be stored stays for the next time. */
  flush(): Promise<boolean>
  /** Whether something is not stored yet. */
  isPending(): boolean
}

/** The counts of one day: an object of its own, which nobody else writes. */
interface OwnDay {
  readonly key: string
  readonly crates: Map<string, Record<string, number>>
  /** Downloads counted and, of them, stored. */
  counted: number
  stored: number
}

export interface OwnCountsDeps {
  readonly storage: RegistryStorage
  readonly logger: Logger
  readonly now: () => Date
}

export function createOwnCounts({ storage, logger, now }: OwnCountsDeps): OwnCounts {
  const days = new Map<string, OwnDay>()
  const keyOf = knownKeys()

  function today(): OwnDay {
    const day = dayOf(now())
    const found = days.get(day)
    if (found !== undefined) return found
    // A day that comes again, after a restart or when the clock was set back, must not overwrite what was counted then.
    const fresh = { key: dayCountsKey(day, randomUUID()), crates: new Map(), counted: 0, stored: 0 }
    days.set(day, fresh)
    return fresh
  }

  async function store(day: string, own: OwnDay): Promise<boolean> {
    const { counted } = own
    if (counted === own.stored) return false
    if (addDays(day, MAX_DAYS_LATE) < dayOf(now())) {
      logger.error(
        { day, downloads: counted - own.stored },
        'downloads could not be stored and are not counted',
      )
      own.stored = counted
      return false
    }
    await storage.put(own.key, await inTurns(encodeDayCounts(day, own.crates)))
    own.stored = counted
    return true
  }

  return {
    count(name, version) {
      const own = today()
      const key = keyOf(name)
      const versions = own.crates.get(key) ?? {}
      versions[version] = (versions[version] ?? 0) + 1
      own.crates.set(key, versions)
      own.counted += 1
    },
    async flush() {
      let isNew = false
      for (const [day, own] of days) {
        try {
          isNew = (await store(day, own)) || isNew
        } catch (error) {
          logger.warn({ err: error, day }, 'download counts were not stored, they are kept for the next time')
        }
        if (own.stored === own.counted && day !== dayOf(now())) days.delete(day)
      }
      return isNew
    },
    isPending: () => [...days.values()].some(({ counted, stored }) => counted > stored),
  }
}
