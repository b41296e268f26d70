import { LRUCache } from 'lru-cache'
import type { Logger } from '../../host.ts'
import { sumOf } from '../../protocol/download-counts.ts'
import {
  type CrateHistory,
  findHistory,
  firstRecentDay,
  partOf,
  readHistory,
} from '../../protocol/download-history.ts'
import { inTurns } from '../in-turns.ts'
import { historyKey } from '../keys.ts'
import type { RegistryStorage } from '../reliable-storage.ts'
import type { Generation } from './listed-counts.ts'
import { readObject } from './read-day.ts'

/** Crates whose history is kept in process. */
const MAX_CRATES = 500

/** Of a crate. */
export interface DownloadSums {
  readonly total: number
  readonly recent: number
}

/** The downloads of days that are over. */
export interface DownloadHistory {
  /** A crate's; `undefined` when it has none. `name` is canonical. */
  of(generation: Generation, name: string): Promise<CrateHistory | undefined>
  /** Of all crates, by canonical name; computed once a day. */
  sums(generation: Generation, today: string): Promise<ReadonlyMap<string, DownloadSums>>
}

export interface HistoryDeps {
  readonly storage: RegistryStorage
  readonly logger: Logger
}

export function createHistory(deps: HistoryDeps): DownloadHistory {
  const crates = new LRUCache<string, CrateHistory>({ max: MAX_CRATES })
  let known: { readonly of: string; readonly sums: ReadonlyMap<string, DownloadSums> } | undefined

  async function sumUp(
    { through, parts }: Generation,
    today: string,
  ): Promise<ReadonlyMap<string, DownloadSums>> {
    const sums = new Map<string, DownloadSums>()
    const first = firstRecentDay(today)
    for (let part = 0; part < parts; part++) {
      await readPart(deps, through, part, (bytes) =>
        inTurns(readHistory(bytes, (name, history) => void sums.set(name, sumsOf(history, first)))),
      )
    }
    return sums
  }

  return {
    async of({ through, parts }, name) {
      const cached = crates.get(`${through}/${name}`)
      if (cached !== undefined) return cached
      const history = await readPart(deps, through, partOf(name, parts), async (bytes) =>
        findHistory(bytes, name),
      )
      if (history !== undefined) crates.set(`${through}/${name}`, history)
      return history
    },
    async sums(generation, today) {
      const of = `${generation.through} ${today}`
      if (known?.of !== of) known = { of, sums: await sumUp(generation, today) }
      return known.sums
    },
  }
}

/** Hands a part of the history to `read`; what is damaged or missing is worth nothing, and no reason to tell nothing else. */
export async function readPart<T>(
  { storage, logger }: HistoryDeps,
  through: string,
  part: number,
  read: (bytes: Buffer) => Promise<T>,
): Promise<T | undefined> {
  const key = historyKey(through, part)
  const bytes = await readObject(storage, key)
  try {
    if (bytes !== undefined) return await read(bytes)
    // Another process is ahead by two days, and this one will follow within a minute; or `verify` knows.
    logger.warn({ key }, 'a part of the download history is not there and is left out')
  } catch (error) {
    logger.error({ err: error, key }, 'integrity: a part of the download history is damaged and is left out')
  }
  return undefined
}

function sumsOf({ versions, days }: CrateHistory, first: string): DownloadSums {
  let recent = 0
  for (const [day, ofDay] of Object.entries(days)) if (day >= first) recent += sumOf(ofDay)
  return { total: sumOf(versions), recent }
}
