import { hasBit } from '../catalogue/bits.ts'
import { eachSlot, type Matches } from '../catalogue/matches.ts'
import type { CrateTable } from '../catalogue/table.ts'
import { type TagKind, withParents } from '../catalogue/tags.ts'
import { visibleRows } from './find-crates.ts'
import type { VisibleCrates } from './visible-crates.ts'

/** How many crates have a keyword, or are in a category or below it. */
export interface TagCount {
  /** The keyword, or the slug of the category. */
  readonly value: string
  readonly crates: number
  /** When the first of them was published; seconds since 1970. */
  readonly created: number
}

/** Answers that are kept: one for each set of rules that let different callers read different crates. */
const MAX_KEPT = 32

/** Counts the keywords or categories of crates that somebody may see; in no order. */
export type CountTags = (
  kind: 'keyword' | 'category',
  crates: readonly VisibleCrates[],
  pause: () => Promise<void>,
) => Promise<readonly TagCount[]>

/** Counts, and keeps the counts until a crate changes. */
export function createTagCounts(): CountTags {
  const kept = new Map<string, Promise<readonly TagCount[]>>()
  return (kind, crates, pause) => {
    const key = keyOf(kind, crates)
    if (key === undefined) return countAll(kind, crates, pause)
    const known = kept.get(key)
    if (known !== undefined) return known
    const counts = countAll(kind, crates, pause)
    kept.set(key, counts)
    counts.catch(() => kept.delete(key))
    for (const oldest of kept.keys()) if (kept.size > MAX_KEPT) kept.delete(oldest)
    return counts
  }
}

function keyOf(kind: TagKind, crates: readonly VisibleCrates[]): string | undefined {
  if (crates.some(({ key }) => key === undefined)) return undefined
  return [kind, ...crates.map(({ key, table }) => `${key} ${table.changes}`)].join('|')
}

async function countAll(
  kind: TagKind,
  crates: readonly VisibleCrates[],
  pause: () => Promise<void>,
): Promise<readonly TagCount[]> {
  const counts = new Map<string, { crates: number; created: number }>()
  for (const one of crates) await addCounts(counts, kind, one, await visibleRows(one, {}, pause), pause)
  return [...counts].map(([value, one]) => ({ value, ...one }))
}

async function addCounts(
  counts: Map<string, { crates: number; created: number }>,
  kind: TagKind,
  { table }: VisibleCrates,
  { parts }: Matches,
  pause: () => Promise<void>,
): Promise<void> {
  const isMeant = new Uint8Array(table.rows)
  for (const part of parts)
    eachSlot(part, (slot) => {
      isMeant[part.block.rows[slot] ?? 0] = 1
    })
  const valuesOf = knownValues(table, kind)
  for (const { tags, rows, shown } of table.blocks) {
    for (const [value, numbers] of numbersByValue(tags.numbers(), valuesOf)) {
      // An entry that has several of them counts once.
      const counted = numbers.length > 1 ? new Set<number>() : undefined
      const countOnce = (slot: number) => {
        const row = rows[slot] ?? 0
        if (isMeant[row] !== 1 || !hasBit(shown, slot) || counted?.has(slot)) return
        counted?.add(slot)
        count(counts, value, table.created.get(row))
      }
      for (const number of numbers) tags.each(number, countOnce)
    }
    await pause()
  }
}

/** The numbers of tags by what they count for. */
function numbersByValue(
  numbers: Iterable<number>,
  valuesOf: (number: number) => readonly string[],
): ReadonlyMap<string, readonly number[]> {
  const byValue = new Map<string, number[]>()
  for (const number of numbers)
    for (const value of valuesOf(number)) byValue.set(value, [...(byValue.get(value) ?? []), number])
  return byValue
}

function count(
  counts: Map<string, { crates: number; created: number }>,
  value: string,
  created: number,
): void {
  const before = counts.get(value)
  if (before === undefined) counts.set(value, { crates: 1, created })
  else {
    before.crates += 1
    before.created = Math.min(before.created, created)
  }
}

/** What a tag counts for; a crate counts once for each category that one of its own is in. */
function knownValues({ tags }: CrateTable, kind: TagKind): (number: number) => readonly string[] {
  const known: (readonly string[])[] = []
  return (number) => {
    const value = known[number] === undefined ? tags.value(kind, number) : undefined
    known[number] ??= value === undefined ? [] : kind === 'category' ? withParents(value) : [value]
    return known[number]
  }
}
