import { addDays } from '../../protocol/day.ts'
import type { VersionCounts } from '../../protocol/download-counts.ts'
import {
  type CrateHistory,
  encodeHistory,
  foldDay,
  partOf,
  readHistory,
} from '../../protocol/download-history.ts'
import { sealJson } from '../../protocol/seal.ts'
import { inTurns } from '../in-turns.ts'
import { foldedKey, HISTORY_PREFIX, historyKey, historyPrefix } from '../keys.ts'
import { type HistoryDeps, readPart } from './history.ts'
import { type Generation, type ListedCounts, listCounts } from './listed-counts.ts'
import { type DayCounts, readDay } from './read-day.ts'

/** A day is folded when it is so many days ago: nobody stores counts of it any more, whatever the clocks say. */
const SETTLED_DAYS = 3
/** A part of the history grows to about so many bytes before there are more parts. */
const PART_BYTES = 512 * 1024
const MAX_PARTS = 4096
/** So many are looked at before others have their turn. */
const NAMES_IN_A_TURN = 1000

/** The history of a crate that has none. */
const NOTHING: CrateHistory = { versions: {}, days: {} }

/**
 * Folds the oldest settled day into the history: a new generation, made of the one before and of what the processes
 * counted on that day. Both do not change any more, so that whoever folds makes the same of them: parts that another
 * one has stored, at the same time or before it was killed, are kept. A generation counts once all its parts are
 * stored; what it was made of is deleted only with the generation after it. Whether there was such a day.
 */
export async function foldOldestDay(deps: HistoryDeps, today: string, signal: AbortSignal): Promise<boolean> {
  const { storage } = deps
  const listed = await listCounts(storage)
  await deleteFolded(deps, listed)
  const base = listed.generations.at(-1)
  const [day, files] = [...listed.days].find(([day]) => day > (base?.through ?? '')) ?? []
  if (day === undefined || files === undefined || addDays(day, SETTLED_DAYS) > today) return false
  const counts = await readDay(deps, files)
  // As long as this is so, nothing that was just read can have been deleted before.
  if ((await listCounts(storage)).generations.at(-1)?.through !== base?.through) return false
  const parts = base === undefined ? 1 : await partsAfter(deps, base)
  const fold = { base, parts, day, counts: await inTurns(groupByPart(counts, base?.parts ?? 1)) }
  for (const part of fold.counts.keys()) {
    if (signal.aborted) return false
    await foldPart(deps, fold, part)
  }
  await storage.put(foldedKey(day, parts), sealJson({ schema: 1, day, parts }), { ifAbsent: true })
  return true
}

interface Fold {
  readonly base: Generation | undefined
  /** How many the new generation has: a multiple of those of `base`. */
  readonly parts: number
  readonly day: string
  /** What the day adds to each part of `base`. */
  readonly counts: ReadonlyMap<number, DayCounts>
}

/** Makes one part of the old generation into one or more parts of the new one. */
async function foldPart(deps: HistoryDeps, { base, parts, day, counts }: Fold, part: number): Promise<void> {
  const news = counts.get(part)
  const crates = new Map<string, CrateHistory>()
  if (base !== undefined) {
    const add = (name: string, history: CrateHistory) =>
      void crates.set(name, foldDay(history, day, news?.get(name)))
    await readPart(deps, base.through, part, (bytes) => inTurns(readHistory(bytes, add)))
  }
  for (const [name, versions] of news ?? [])
    if (!crates.has(name)) crates.set(name, foldDay(NOTHING, day, versions))
  for (let next = part; next < parts; next += base?.parts ?? 1) {
    const own = [...crates].filter(([name]) => partOf(name, parts) === next)
    const bytes = await inTurns(encodeHistory(day, own))
    await deps.storage.put(historyKey(day, next), bytes, { ifAbsent: true })
  }
}

/** What a day adds to each of so many parts. */
function* groupByPart(
  counts: DayCounts,
  parts: number,
): Generator<undefined, ReadonlyMap<number, DayCounts>> {
  const groups = Array.from({ length: parts }, () => new Map<string, VersionCounts>())
  let done = 0
  for (const [name, versions] of counts) {
    groups[partOf(name, parts)]?.set(name, versions)
    done += 1
    if (done % NAMES_IN_A_TURN === 0) yield
  }
  return new Map(groups.entries())
}

async function partsAfter({ storage }: HistoryDeps, { through, parts }: Generation): Promise<number> {
  let bytes = 0
  for await (const { size } of storage.list(historyPrefix(through))) bytes += size
  let next = parts
  while (bytes / next > PART_BYTES && next < MAX_PARTS) next *= 2
  return next
}

/** Deletes what the last two generations do without: older ones, and the days that were in the older of the two. */
async function deleteFolded({ storage }: HistoryDeps, { days, generations }: ListedCounts): Promise<void> {
  const [before, newest] = generations.slice(-2)
  if (before === undefined || newest === undefined) return
  for (const [day, files] of days)
    if (day <= before.through) for (const { key } of files) await storage.delete(key)
  for await (const { key } of storage.list(HISTORY_PREFIX)) {
    if (key >= historyPrefix(before.through)) break
    await storage.delete(key)
  }
  for (const { through, parts } of generations)
    if (through < before.through) await storage.delete(foldedKey(through, parts))
}
