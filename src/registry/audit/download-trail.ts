import { type AuditQuery, invalidCursor } from '../../protocol/audit-query.ts'
import { dayOf, isDay } from '../../protocol/day.ts'
import { parseDownloadRecords } from '../../protocol/download-record.ts'
import { fewAtATime } from '../few-at-a-time.ts'
import { TRAIL_PREFIX } from '../keys.ts'
import { readBytes } from '../reliable-storage.ts'
import type { TrailDeps } from './change-trail.ts'
import type { TrailObject } from './page.ts'

/** A place in the trail: behind so many records of a batch, `<day>/<process>-<n>`. */
interface Place {
  readonly batch: string
  readonly taken: number
}

/** The records of who downloaded what: by day, and within one by process, in the order that it stored them. */
export async function* downloadTrail(
  deps: TrailDeps,
  { since, until, after }: AuditQuery,
): AsyncGenerator<TrailObject> {
  const place = after === undefined ? undefined : parseCursor(after)
  // The batch that the page before ended in: a list of what is after it has it no more.
  if (place !== undefined) yield (await readBatch(deps, place.batch)).slice(place.taken)
  const first = since === undefined ? '' : dayOf(new Date(since))
  const last = until === undefined ? undefined : dayOf(new Date(until))
  const start = place === undefined || place.batch < first ? first : `${place.batch}.json`
  async function* batches(): AsyncGenerator<string> {
    for await (const { key } of deps.storage.list(TRAIL_PREFIX, { after: TRAIL_PREFIX + start })) {
      const batch = batchOf(key)
      if (batch === undefined) continue
      if (last !== undefined && batch.slice(0, last.length) > last) return
      yield batch
    }
  }
  for await (const [, object] of fewAtATime(batches(), (batch) => readBatch(deps, batch))) yield object
}

/** The batch that is stored at a key; `undefined` for any other key. */
export function batchOf(key: string): string | undefined {
  const [, batch, day = ''] =
    /^audit\/downloads\/((\d{4}-\d\d-\d\d)\/[0-9a-f-]{36}-\d{8})\.json$/.exec(key) ?? []
  return isDay(day) ? batch : undefined
}

function parseCursor(after: string): Place {
  const [, batch = '', taken] = /^(.+)\/([1-9]\d{0,3})$/.exec(after) ?? []
  if (batchOf(`${TRAIL_PREFIX}${batch}.json`) === undefined) throw invalidCursor(after)
  return { batch, taken: Number(taken) }
}

/** A batch may have been deleted, with its day. What is damaged must not end the audit. */
async function readBatch({ storage, logger }: TrailDeps, batch: string): Promise<TrailObject> {
  const key = `${TRAIL_PREFIX}${batch}.json`
  const object = await storage.get(key)
  if (object === undefined) return []
  const bytes = await readBytes(object)
  try {
    return parseDownloadRecords(bytes).map((record, at) => [
      `${batch}/${at + 1}`,
      { kind: 'download', ...record },
    ])
  } catch (error) {
    logger.error({ err: error, key }, 'integrity: a batch of the download audit is damaged and is left out')
    return [[`${batch}/1`, undefined]]
  }
}
