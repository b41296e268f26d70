import type { ListedObject } from '../../host.ts'
import { isDay } from '../../protocol/day.ts'
import { DOWNLOADS_PREFIX } from '../keys.ts'
import type { RegistryStorage } from '../reliable-storage.ts'

/** What is stored about downloads, by name. */
export interface ListedCounts {
  /** What the processes counted, by day, the oldest first. */
  readonly days: ReadonlyMap<string, readonly ListedObject[]>
}

/** Looks at what is there, without reading it. */
export async function listCounts(storage: RegistryStorage): Promise<ListedCounts> {
  const days = new Map<string, ListedObject[]>()
  for await (const object of storage.list(DOWNLOADS_PREFIX)) {
    const [, day = '', file = ''] = object.key.split('/')
    if (!isDay(day) || !file.endsWith('.json')) continue
    const files = days.get(day)
    if (files === undefined) days.set(day, [object])
    else files.push(object)
  }
  return { days }
}
