import { CargoError } from '../../errors.ts'
import { readDayCounts } from '../../protocol/download-counts.ts'
import { partOf, readHistory } from '../../protocol/download-history.ts'
import { parseDownloadRecords } from '../../protocol/download-record.ts'
import { isSealed } from '../../protocol/seal.ts'
import { batchOf } from '../audit/download-trail.ts'
import { countedDay, type Generation, generationOf } from '../downloads/listed-counts.ts'
import { inTurns } from '../in-turns.ts'
import { DOWNLOADS_PREFIX, foldedKey, HISTORY_PREFIX, historyKey } from '../keys.ts'
import { type Check, inParallel, problemOf, readObject, reportStray } from './check.ts'

const FROM_BACKUP = 'restore it from a backup: what it tells is left out until then'

/**
 * Reads all that was counted of downloads. What is missing of a generation is a finding, unless there are two newer
 * ones: servers delete it then.
 */
export async function scanDownloads(check: Check): Promise<void> {
  const generations: Generation[] = []
  const parts = new Set<string>()
  await inParallel(keysBelow(check, DOWNLOADS_PREFIX), check.signal, async (key) => {
    const generation = generationOf(key)
    if (generation !== undefined) {
      generations.push(generation)
      await scan(check, key, mustBeSealed)
    } else if (countedDay(key) !== undefined) await scanDay(check, key)
    else if (isHistory(key)) {
      parts.add(key)
      await scanPart(check, key, generations)
    } else reportStray(check, key)
  })
  if (!check.signal.aborted) await reportMissing(check, generations, parts)
}

/** Reads the records of who downloaded what. */
export async function scanTrail(check: Check): Promise<void> {
  await inParallel(keysBelow(check, 'audit/'), check.signal, async (key) => {
    if (batchOf(key) === undefined) return reportStray(check, key)
    await scan(check, key, async (bytes) => void parseDownloadRecords(bytes), 'trail')
  })
}

async function* keysBelow({ storage }: Check, prefix: string): AsyncGenerator<string> {
  for await (const { key } of storage.list(prefix)) yield key
}

async function scanDay(check: Check, key: string): Promise<void> {
  await scan(check, key, (bytes) => inTurns(readDayCounts(bytes, () => {})))
}

/** Generations come before their parts in the list. */
async function scanPart(check: Check, key: string, generations: readonly Generation[]): Promise<void> {
  const [through = '', part] = key.slice(HISTORY_PREFIX.length).split('/')
  const parts = generations.find((one) => one.through === through)?.parts
  await scan(check, key, async (bytes) => {
    let isElsewhere = false
    const look = (name: string) => {
      isElsewhere ||= parts !== undefined && partOf(name, parts) !== Number.parseInt(part ?? '', 10)
    }
    await inTurns(readHistory(bytes, look))
    if (isElsewhere) report(check, key, 'has crates that belong into another part')
  })
}

async function scan(
  check: Check,
  key: string,
  read: (bytes: Buffer) => Promise<void>,
  counted: 'downloads' | 'trail' = 'downloads',
): Promise<void> {
  const found = await readObject(check, [], key)
  if (typeof found !== 'object') return
  check.counts[counted] += 1
  try {
    await read(found.bytes)
  } catch (error) {
    report(check, key, problemOf(error))
  }
}

async function mustBeSealed(bytes: Buffer): Promise<void> {
  if (!isSealed(bytes)) throw new CargoError('internal', 'is damaged: its bytes do not have their checksum')
}

async function reportMissing(
  check: Check,
  generations: readonly Generation[],
  found: ReadonlySet<string>,
): Promise<void> {
  const latest = generations.toSorted((a, b) => (a.through < b.through ? -1 : 1)).slice(-2)
  for (const { through, parts } of latest) {
    for (let part = 0; part < parts; part++) {
      const key = historyKey(through, part)
      // Deleted meanwhile, perhaps, with the generation itself.
      if (found.has(key) || (await check.storage.stat(key)) !== undefined) continue
      if ((await check.storage.stat(foldedKey(through, parts))) === undefined) break
      report(check, key, 'is missing')
    }
  }
}

function report(check: Check, key: string, problem: string): void {
  check.report({ crates: [], key, problem, remedy: FROM_BACKUP, repaired: false })
}

function isHistory(key: string): boolean {
  const [, through = '', part = ''] = /^downloads\/history\/([0-9-]+)\/(\d{4})\.json$/.exec(key) ?? []
  return through !== '' && historyKey(through, Number(part)) === key
}
