import type { CrateOrder } from '../../protocol/crates-query.ts'
import { rowsByFit, rowsByName } from '../catalogue/by-name.ts'
import { firstOf, type Order } from '../catalogue/first-of.ts'
import { giveUp } from '../catalogue/give-up.ts'
import { eachSlot, leaveOut, type Matches, matchesOf, type Part, rowsOf } from '../catalogue/matches.ts'
import { type CrateCriteria, isAnything, matchingRows } from '../catalogue/query.ts'
import type { CrateTable } from '../catalogue/table.ts'
import { type Downloads, type NumberOrder, orderKey } from './order.ts'
import type { VisibleCrates } from './visible-crates.ts'

/** So many crates are asked about at a time. */
const BATCH = 256
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
  { table, confirm, ...visibility }: VisibleCrates,
  criteria: CrateCriteria,
  pause: () => Promise<void>,
): Promise<Matches> {
  const found = await matchingRows(table, criteria, visibility, pause)
  if (confirm === undefined) return found
  for (const part of found.parts) await confirmAll(part, confirm, pause)
  return matchesOf(found.parts)
}

/** Takes out of a part what is not agreed to. */
async function confirmAll(
  part: Part,
  confirm: (row: number) => Promise<boolean>,
  pause: () => Promise<void>,
): Promise<void> {
  const slots: number[] = []
  eachSlot(part, (slot) => slots.push(slot))
  for (let from = 0; from < slots.length; from += BATCH) {
    const some = slots.slice(from, from + BATCH)
    const answers = await Promise.all(some.map((slot) => confirm(part.block.rows[slot] ?? 0)))
    for (const [position, slot] of some.entries()) if (!answers[position]) leaveOut(part, slot)
    await pause()
  }
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
  if (order === 'relevance') return rowsByFit(found, [from, to], pause)
  if (order === 'alpha') return rowsByName(found, [from, to], pause)
  const { firsts } = found
  if (firsts === undefined || to > KEPT)
    return rowsByNumber(table, found, order, downloads, [from, to], pause)
  const { changes } = table
  const known = firsts.get(order)
  const rows =
    known?.changes === changes && known.downloads === downloads
      ? known.rows
      : rowsByNumber(table, found, order, downloads, [0, KEPT], pause)
  firsts.set(order, { changes, downloads, rows })
  return (await rows).slice(from, to)
}

async function rowsByNumber(
  table: CrateTable,
  found: Matches,
  order: NumberOrder,
  downloads: Downloads,
  window: readonly [from: number, to: number],
  pause: () => Promise<void>,
): Promise<readonly number[]> {
  const keyOf = await orderKey(table, order, downloads, pause)
  const { rows, nameKeys } = rowsOf(found)
  const rowOf = (position: number) => rows[position] ?? 0
  const nameOf = (position: number) => table.nameOf(rowOf(position))
  const byKey: Order = {
    first: (position) => keyOf(rows[position] ?? 0),
    second: (position) => nameKeys[position] ?? 0,
    compare: (a, b) => (nameOf(a) < nameOf(b) ? -1 : 1),
  }
  const first = (await firstOf(rows.length, byKey, window, pause)).map(rowOf)
  giveUp([rows, nameKeys])
  return first
}
