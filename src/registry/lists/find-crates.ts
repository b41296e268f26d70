import type { CrateOrder } from '../../protocol/crates-query.ts'
import { firstOf, type Order } from '../catalogue/first-of.ts'
import { createMatches, giveUp, type Matches } from '../catalogue/matches.ts'
import { type CrateCriteria, isAnything, matchingRows } from '../catalogue/query.ts'
import type { CrateTable } from '../catalogue/table.ts'
import { type Downloads, orderKey } from './order.ts'
import type { VisibleCrates } from './visible-crates.ts'

/** So many crates are asked about at a time. */
const BATCH = 256
/** There are so many keys of names. */
const NAME_KEYS = 2 ** 32
/** So many of the first rows of a list of all crates are kept. */
const KEPT = 1000

/** Rows that were found. */
export interface FoundRows extends Matches {
  /** Where they are kept: the first of them by order. */
  readonly firsts?: Map<CrateOrder, FirstRows>
}

/** The first rows of an order, as long as nothing changes that it is made of. */
interface FirstRows {
  readonly changes: number
  readonly downloads: Downloads
  readonly rows: Promise<readonly number[]>
}

/** All crates of a catalogue that could be seen last: whoever turns the pages of a list asks for them each time. */
const everything = new WeakMap<CrateTable, { readonly key: string; readonly rows: Promise<FoundRows> }>()

/** All that fit and that the caller may see. */
export async function visibleRows(
  crates: VisibleCrates,
  criteria: CrateCriteria,
  pause: () => Promise<void>,
): Promise<FoundRows> {
  const { table } = crates
  if (crates.key === undefined || !isAnything(criteria)) return findRows(crates, criteria, pause)
  const key = `${table.arrivals} ${crates.key}`
  const known = everything.get(table)
  if (known?.key === key) return known.rows
  const rows = findRows(crates, criteria, pause).then((found) => ({ ...found, firsts: new Map() }))
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
  giveUp(found)
  return confirmed.all()
}

/** The rows from `from` to `to` in an order. */
export async function inOrder(
  table: CrateTable,
  found: FoundRows,
  order: CrateOrder,
  downloads: Downloads,
  [from, to]: readonly [from: number, to: number],
  pause: () => Promise<void>,
): Promise<readonly number[]> {
  const { firsts } = found
  if (firsts === undefined || to > KEPT) return rowsInOrder(table, found, order, downloads, [from, to], pause)
  const { changes } = table
  const known = firsts.get(order)
  const rows =
    known?.changes === changes && known.downloads === downloads
      ? known.rows
      : rowsInOrder(table, found, order, downloads, [0, KEPT], pause)
  firsts.set(order, { changes, downloads, rows })
  return (await rows).slice(from, to)
}

async function rowsInOrder(
  table: CrateTable,
  { rows, ranks }: Matches,
  order: CrateOrder,
  downloads: Downloads,
  window: readonly [from: number, to: number],
  pause: () => Promise<void>,
): Promise<readonly number[]> {
  const keyOf = await orderKey(table, order, downloads, pause)
  const names = table.nameKeys.values
  const rowOf = (position: number) => rows[position] ?? 0
  const byKey: Order = {
    first:
      order === 'relevance'
        ? // One number for both, since most ranks are the same.
          (position) => (ranks[position] ?? 0) * NAME_KEYS + (names[rows[position] ?? 0] ?? 0)
        : (position) => keyOf(rowOf(position)),
    second: (position) => names[rowOf(position)] ?? 0,
    compare: (a, b) => table.compareNames(rowOf(a), rowOf(b)),
  }
  return (await firstOf(rows.length, byKey, window, pause)).map(rowOf)
}
