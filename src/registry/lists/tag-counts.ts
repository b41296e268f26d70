import type { Matches } from '../catalogue/query.ts'
import { type TagKind, valuesIn, withParents } from '../catalogue/tags.ts'
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
  const counts = new Map<string, TagCount>()
  for (const one of crates) await addCounts(counts, kind, one, await visibleRows(one, {}, pause), pause)
  return [...counts.values()]
}

async function addCounts(
  counts: Map<string, TagCount>,
  kind: TagKind,
  { table }: VisibleCrates,
  { rows }: Matches,
  pause: () => Promise<void>,
): Promise<void> {
  const isMeant = new Uint8Array(table.rows)
  for (const row of rows) isMeant[row] = 1
  for (const [index, block] of table.blocks.entries()) {
    for (const [slot, tags] of block.tags().entries()) {
      const row = block.rows[slot] ?? 0
      if (isMeant[row] !== 1 || !table.isCurrent(index, slot)) continue
      const created = table.created(row)
      for (const value of distinct(kind, valuesIn(tags, kind))) {
        const before = counts.get(value) ?? { value, crates: 0, created }
        const first = Math.min(before.created, created)
        counts.set(value, { value, crates: before.crates + 1, created: first })
      }
    }
    await pause()
  }
}

/** A crate counts once for each category that it is in, however many of those below it name it. */
function distinct(kind: TagKind, values: readonly string[]): ReadonlySet<string> {
  return new Set(kind === 'category' ? values.flatMap(withParents) : values)
}
