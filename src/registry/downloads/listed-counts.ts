import type { ListedObject } from '../../host.ts'
import { isDay } from '../../protocol/day.ts'
import { DOWNLOADS_PREFIX, foldedKey, HISTORY_PREFIX } from '../keys.ts'
import type { RegistryStorage } from '../reliable-storage.ts'

/** The downloads of all days up to one, in parts by name. */
export interface Generation {
  /** The last day in it. */
  readonly through: string
  readonly parts: number
}

/** What is stored about downloads, by its keys. */
export interface ListedCounts {
  /** What the processes counted, by day, the oldest first. */
  readonly days: ReadonlyMap<string, readonly ListedObject[]>
  /** Those that are whole, the oldest first; the newest has all that is in the others. */
  readonly generations: readonly Generation[]
}

/**
 * Looks at what is there, without reading it. Days come before generations: a day that was folded and deleted meanwhile
 * is in a generation that is listed.
 */
export async function listCounts(storage: RegistryStorage): Promise<ListedCounts> {
  const days = new Map<string, ListedObject[]>()
  const generations: Generation[] = []
  for await (const object of storage.list(DOWNLOADS_PREFIX)) {
    const { key } = object
    if (key > HISTORY_PREFIX) break
    const day = countedDay(key)
    if (day !== undefined) days.set(day, [...(days.get(day) ?? []), object])
    const generation = generationOf(key)
    if (generation !== undefined) generations.push(generation)
  }
  return { days, generations }
}

/** The day of an object that a process counts in; `undefined` for any other key. */
export function countedDay(key: string): string | undefined {
  const [, day] = /^downloads\/([0-9-]+)\/[0-9a-f-]{36}\.json$/.exec(key) ?? []
  return day !== undefined && isDay(day) ? day : undefined
}

/** The generation that a key says is whole; `undefined` for any other key. */
export function generationOf(key: string): Generation | undefined {
  const [, through, digits] = /^downloads\/folded\/([0-9-]+)\.(\d{1,4})\.json$/.exec(key) ?? []
  const parts = Number(digits)
  const isOne = through !== undefined && isDay(through) && foldedKey(through, parts) === key && parts > 0
  return isOne ? { through, parts } : undefined
}
