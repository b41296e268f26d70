import type { CrateOrder } from '../../protocol/crates-query.ts'
import type { CrateTable } from '../catalogue/table.ts'
import type { DownloadTotals } from '../download-counts.ts'

/** Downloads by canonical name. */
export type Downloads = DownloadTotals['crates']

/** The orders that go by a number of a crate, and by its name where that is the same. */
export type NumberOrder = Exclude<CrateOrder, 'relevance' | 'alpha'>

/** A number that is the lower the further ahead a row belongs. */
export type RowKey = (row: number) => number

/** Names that are looked for before others get a turn. */
const PART = 256

/** The key of an order. */
export async function orderKey(
  table: CrateTable,
  order: NumberOrder,
  downloads: Downloads,
  pause: () => Promise<void>,
): Promise<RowKey> {
  switch (order) {
    case 'downloads':
      return mostFirst(await downloadsByRow(table, 'total', downloads, pause))
    case 'recent-downloads':
      return mostFirst(await downloadsByRow(table, 'recent', downloads, pause))
    case 'recent-updates':
      return mostFirst(table.updated.values)
    case 'new':
      return mostFirst(table.created.values)
  }
}

function mostFirst(values: ArrayLike<number>): RowKey {
  return (row) => -(values[row] ?? 0)
}

type Kind = 'total' | 'recent'

/** What was found for a state of the counts: to look a name up takes longer than to compare many numbers. */
const found = new WeakMap<
  CrateTable,
  Map<Kind, { readonly of: Downloads; readonly byRow: Promise<Float64Array> }>
>()

/** Downloads by row; those that came later than that was found out have none. */
export function downloadsByRow(
  table: CrateTable,
  kind: Kind,
  downloads: Downloads,
  pause: () => Promise<void>,
): Promise<Float64Array> {
  const kinds = found.get(table) ?? new Map()
  found.set(table, kinds)
  const known = kinds.get(kind)
  if (known?.of === downloads) return known.byRow
  const byRow = findDownloads(table, kind, downloads, pause)
  kinds.set(kind, { of: downloads, byRow })
  return byRow
}

async function findDownloads(
  table: CrateTable,
  kind: Kind,
  downloads: Downloads,
  pause: () => Promise<void>,
): Promise<Float64Array> {
  const byRow = new Float64Array(table.rows)
  let done = 0
  for (const [name, sums] of downloads) {
    const row = table.rowOf(name)
    if (row !== undefined) byRow[row] = sums[kind]
    done += 1
    if (done % PART === 0) await pause()
  }
  return byRow
}
