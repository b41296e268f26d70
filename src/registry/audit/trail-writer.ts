import { randomUUID } from 'node:crypto'
import type { Logger } from '../../host.ts'
import { dayOf } from '../../protocol/day.ts'
import { type DownloadRecord, encodeDownloadRecords } from '../../protocol/download-record.ts'
import type { Caller } from '../access.ts'
import { trailKey } from '../keys.ts'
import type { RegistryStorage } from '../reliable-storage.ts'

/** Records are stored when so many are there, or the first has waited for so long. */
const BATCH_RECORDS = 1000
const BATCH_MS = 5000
/** While the store is away so many wait; then the oldest are given up. */
const MAX_RECORDS = 10_000

/** Stores who downloaded what, behind the downloads. */
export interface TrailWriter {
  /** Takes note of a download; never fails it, nor lets it wait. */
  note(caller: Caller, crate: string, version: string): void
  /** Stores what waits, and takes no more. */
  close(): Promise<void>
}

/** Records under the key that they are stored at: tried again, they are the same ones. */
interface Batch {
  readonly key: string
  readonly records: readonly DownloadRecord[]
}

export interface TrailWriterDeps {
  readonly storage: RegistryStorage
  readonly logger: Logger
  readonly now: () => Date
}

export function createTrailWriter({ storage, logger, now }: TrailWriterDeps): TrailWriter {
  const replica = randomUUID()
  let waiting: DownloadRecord[] = []
  let batch: Batch | undefined
  let n = 0
  let givenUp = 0
  let timer: NodeJS.Timeout | undefined
  let storing: Promise<void> | undefined

  function nextBatch(): Batch | undefined {
    const [first] = waiting
    if (first === undefined) return undefined
    const day = dayOf(new Date(first.at))
    const other = waiting.findIndex(({ at }) => !at.startsWith(day))
    const records = waiting.slice(0, Math.min(BATCH_RECORDS, other === -1 ? waiting.length : other))
    waiting = waiting.slice(records.length)
    n += 1
    return { key: trailKey(day, replica, n), records }
  }

  /** That it was there already is as good: it is this batch, of which the answer was lost. */
  async function storeAll(): Promise<void> {
    try {
      for (batch ??= nextBatch(); batch !== undefined; batch = nextBatch())
        await storage.put(batch.key, encodeDownloadRecords(batch.records), { ifAbsent: true })
    } catch (error) {
      const records = waiting.length + (batch?.records.length ?? 0)
      logger.warn({ err: error, records }, 'the audit of downloads was not stored, that is tried again')
    }
    if (givenUp === 0) return
    logger.error(
      { records: givenUp },
      'records of the audit of downloads are lost: storage was away for too long',
    )
    givenUp = 0
  }

  function store(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    storing ??= storeAll().finally(() => {
      storing = undefined
      if (waiting.length > 0 || batch !== undefined) schedule()
    })
    return storing
  }

  function schedule(): void {
    timer ??= setTimeout(store, BATCH_MS).unref()
  }

  return {
    note(caller, crate, version) {
      waiting.push(recordOf(caller, crate, version, now()))
      if (waiting.length + (batch?.records.length ?? 0) > MAX_RECORDS) {
        waiting.shift()
        givenUp += 1
      }
      // Not again and again while the store is away: that is what the timer is for.
      if (waiting.length === BATCH_RECORDS && batch === undefined) void store()
      else schedule()
    },
    async close() {
      await storing
      await store()
      clearTimeout(timer)
      const lost = waiting.length + (batch?.records.length ?? 0)
      if (lost > 0)
        logger.error({ records: lost }, 'records of the audit of downloads could not be stored and are lost')
    },
  }
}

function recordOf({ principal, address }: Caller, crate: string, version: string, at: Date): DownloadRecord {
  return {
    crate,
    version,
    ...(principal !== undefined && { by: principal.name }),
    ...(principal?.tokenId !== undefined && { tokenId: principal.tokenId }),
    at: at.toISOString(),
    ...(address !== undefined && { address }),
  }
}
