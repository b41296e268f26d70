import type { CrateOrder } from '../../protocol/crates-query.ts'
import { firstOf } from '../catalogue/first-of.ts'
import { createMatches, type Matches } from '../catalogue/matches.ts'
import { type CrateCriteria, isAnything, matchingRows } from '../catalogue/query.ts'
import type { CrateTable } from '../catalogue/table.ts'
import type { DownloadTotals } from '../download-counts.ts'
import type { VisibleCrates } from './visible-crates.ts'

/** Downloads by canonical name. */
export type Downloads = DownloadTotals['crates']

/** So many crates are asked about at a time. */
const BATCH = 256
/** Rows whose keys are made before others get a turn. */
const PART = 4096

/** All crates of a catalogue that could be seen last: whoever turns the pages of a list asks for them each time. */
const everything = new WeakMap<CrateTable, { readonly key: string; readonly rows: Promise<Matches> }>()

/** All that fit and that the caller may see. */
export async function visibleRows(
  crates: VisibleCrates,
  criteria: CrateCriteria,
  pause: () => Promise<void>,
): Promise<Matches> {
  const { table } = crates
  if (crates.key === undefined || !isAnything(criteria)) return findRows(crates, criteria, pause)
  const key = `${table.changes} ${crates.key}`
  const known = everything.get(table)
  if (known?.key === key) return known.rows
  const rows = findRows(crates, criteria, pause)
  everything.set(table, { key, rows })
  rows.catch(() => everything.delete(table))
  return rows
}

async function findRows(
  { table, isVisible, confirm }: VisibleCrates,
  criteria: CrateCriteria,
  pause: () => Promise<void>,
): Promise<Matches> {
  const found = await matchingRows(table, criteria, isVisible, pause)
  if (confirm === undefined) return found
  const confirmed = createMatches()
  for (let from = 0; from < found.rows.length; from += BATCH) {
    const rows = Array.from(found.rows.subarray(from, from + BATCH))
    const answers = await Promise.all(rows.map(confirm))
    for (const [position, row] of rows.entries()) {
      if (answers[position]) confirmed.add(row, found.ranks[from + position] ?? 0)
    }
    await pause()
  }
  return confirmed.all()
}

/** The rows from `from` to `to` in an order. */
export async function inOrder(
  table: CrateTable,
  { rows, ranks }: Matches,
  order: CrateOrder,
  downloads: Downloads,
  window: readonly [from: number, to: number],
  pause: () => Promise<void>,
): Promise<readonly number[]> {
  const keys = order === 'relevance' ? ranks : new Float64Array(rows.length)
  const keyOf = orderKey(table, order, downloads)
  if (keyOf !== undefined) {
    for (let position = 0; position < rows.length; position++) {
      keys[position] = keyOf(rows[position] ?? 0)
      if (position % PART === 0) await pause()
    }
  }
  const byKey = {
    first: keys,
    second: (position: number) => table.nameKey(rows[position] ?? 0),
    compare: (a: number, b: number) => table.compareNames(rows[a] ?? 0, rows[b] ?? 0),
  }
  const first = await firstOf(rows.length, byKey, window, pause)
  return first.map((position) => rows[position] ?? 0)
}

/** A number that is the lower the further ahead a row belongs; `undefined`: the row does not tell it. */
export function orderKey(
  table: CrateTable,
  order: CrateOrder,
  downloads: Downloads,
): ((row: number) => number) | undefined {
  switch (order) {
    case 'relevance':
    case 'alpha':
      return undefined
    case 'downloads':
      return (row) => -(downloads.get(table.nameOf(row))?.total ?? 0)
    case 'recent-downloads':
      return (row) => -(downloads.get(table.nameOf(row))?.recent ?? 0)
    case 'recent-updates':
      return (row) => -table.updated(row)
    case 'new':
      return (row) => -table.created(row)
  }
}
