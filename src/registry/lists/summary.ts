import type { SearchHit } from '../../protocol/api.ts'
import { eachSlot, leaveOut, type Matches, matchesOf, type Part } from '../catalogue/matches.ts'
import { hitOf } from '../search.ts'
import { type FoundRows, inOrder, visibleRows } from './find-crates.ts'
import { type Downloads, downloadsByRow, type NumberOrder, orderKey } from './order.ts'
import type { CountTags, TagCount } from './tag-counts.ts'
import type { VisibleCrates } from './visible-crates.ts'

/** Items of each list. */
const SHOWN = 10

/** What a registry has for somebody, at a glance. */
export interface Summary {
  readonly crates: number
  readonly downloads: number
  readonly newest: readonly SearchHit[]
  readonly mostDownloaded: readonly SearchHit[]
  readonly mostRecentlyDownloaded: readonly SearchHit[]
  /** Without those that are new. */
  readonly justUpdated: readonly SearchHit[]
  readonly keywords: readonly TagCount[]
  readonly categories: readonly TagCount[]
}

/** What one catalogue has to offer. */
interface Offer {
  readonly crates: VisibleCrates
  readonly found: FoundRows
}

/** Sums up the crates of several catalogues. */
export async function summarizeCrates(
  all: readonly VisibleCrates[],
  downloads: Downloads,
  countTags: CountTags,
  pause: () => Promise<void>,
): Promise<Summary> {
  const offers: Offer[] = []
  for (const crates of all) offers.push({ crates, found: await visibleRows(crates, {}, pause) })
  const updated: Offer[] = []
  for (const { crates, found } of offers)
    updated.push({ crates, found: await updatedSince(crates, found, pause) })
  const top = (some: readonly Offer[], order: NumberOrder) => topOf(some, order, downloads, pause)
  const categories = await countTags('category', all, pause)
  return {
    crates: offers.reduce((sum, { found }) => sum + found.total, 0),
    downloads: await addUp(offers, downloads, pause),
    newest: await top(offers, 'new'),
    mostDownloaded: await top(offers, 'downloads'),
    mostRecentlyDownloaded: await top(offers, 'recent-downloads'),
    justUpdated: await top(updated, 'recent-updates'),
    keywords: mostUsed(await countTags('keyword', all, pause)).slice(0, SHOWN),
    categories: mostUsed(categories.filter(isTopLevel)).slice(0, SHOWN),
  }
}

/** Keywords or categories, those of the most crates first. */
export function mostUsed(counts: readonly TagCount[]): readonly TagCount[] {
  return counts.toSorted((a, b) => b.crates - a.crates || (a.value < b.value ? -1 : 1))
}

/** Whether a category is in no other one. */
export function isTopLevel({ value }: TagCount): boolean {
  return !value.includes('::')
}

/** The first of several catalogues in an order: the first of each, put in order once more. */
async function topOf(
  offers: readonly Offer[],
  order: NumberOrder,
  downloads: Downloads,
  pause: () => Promise<void>,
): Promise<readonly SearchHit[]> {
  const candidates: { readonly key: number; readonly hit: SearchHit }[] = []
  for (const { crates, found } of offers) {
    const rows = await inOrder(crates.table, found, order, downloads, [0, SHOWN], pause)
    const keyOf = await orderKey(crates.table, order, downloads, pause)
    const entries = await crates.table.entriesOf(rows)
    for (const [position, row] of rows.entries()) {
      const entry = entries[position]
      if (entry !== undefined) candidates.push({ key: keyOf(row), hit: hitOf(entry) })
    }
  }
  return candidates
    .sort((a, b) => a.key - b.key)
    .slice(0, SHOWN)
    .map(({ hit }) => hit)
}

async function updatedSince(
  { table }: VisibleCrates,
  { parts }: Matches,
  pause: () => Promise<void>,
): Promise<Matches> {
  const updated: Part[] = []
  for (const { block, levels } of parts) {
    const part = { block, levels: levels.slice() }
    eachSlot(part, (slot) => {
      const row = block.rows[slot] ?? 0
      if (table.updated.get(row) === table.created.get(row)) leaveOut(part, slot)
    })
    updated.push(part)
    await pause()
  }
  return matchesOf(updated)
}

async function addUp(
  offers: readonly Offer[],
  downloads: Downloads,
  pause: () => Promise<void>,
): Promise<number> {
  let sum = 0
  if (downloads.size === 0) return sum
  for (const { crates, found } of offers) {
    const byRow = await downloadsByRow(crates.table, 'total', downloads, pause)
    for (const part of found.parts)
      eachSlot(part, (slot) => {
        sum += byRow[part.block.rows[slot] ?? 0] ?? 0
      })
  }
  return sum
}
