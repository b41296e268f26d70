import { createColumn } from './columns.ts'
import { createDetails, type Details } from './details.ts'
import type { CatalogueEntry } from './entry.ts'

/** So many entries that no longer count are not worth writing the others anew. */
const FEW = 4096
/** Entries that are moved at a time. */
const BATCH = 256

/** The entries by row. When more than half of what is kept no longer counts, the others move to a new file. */
export interface RowDetails {
  /** Bytes that are kept, those of entries that no longer count included. */
  readonly size: number
  /** Rows follow one another. */
  put(row: number, entry: CatalogueEntry): void
  read(rows: readonly number[]): Promise<readonly CatalogueEntry[]>
  close(): Promise<void>
}

/** `onFailure` is told when a file cannot be written, or not be read anew. */
export function createRowDetails(onFailure: (error: unknown) => void, few: number = FEW): RowDetails {
  const places = createColumn(Uint32Array)
  /** Whether a row is in the current file or the old one: the number of the file, odd or even. */
  const sides = createColumn(Uint8Array)
  let current = createDetails(onFailure)
  let old: Details | undefined
  let [side, rows, dead] = [0, 0, 0]
  let moving: Promise<void> = Promise.resolve()
  let closed = false

  function place(row: number, entry: CatalogueEntry): void {
    places.set(row, current.add(entry))
    sides.set(row, side)
  }

  /** Of some rows those that are on a side, with their entries. */
  async function readOf(details: Details, some: readonly number[], of: number) {
    const there = some.filter((row) => sides.get(row) === of)
    const entries = there.length > 0 ? await details.read(there.map(places.get)) : []
    return there.map((row, index) => ({ row, entry: entries[index] }))
  }

  async function move(from: Details): Promise<void> {
    const end = rows
    for (let row = 0; row < end && !closed; row += BATCH) {
      const some = Array.from({ length: Math.min(BATCH, end - row) }, (_, index) => row + index)
      // What has changed meanwhile is there already.
      for (const { row, entry } of await readOf(from, some, 1 - side))
        if (entry !== undefined && sides.get(row) !== side) place(row, entry)
    }
    if (closed) return
    old = undefined
    await from.close()
  }

  return {
    get size() {
      return current.size + (old?.size ?? 0)
    },
    put(row, entry) {
      dead += Number(row < rows)
      rows = Math.max(rows, row + 1)
      place(row, entry)
      if (dead <= Math.max(few, rows) || old !== undefined) return
      old = current
      current = createDetails(onFailure)
      side = 1 - side
      dead = 0
      // After a failure everything stays where it is.
      moving = move(old).catch(onFailure)
    },

    async read(some) {
      const groups = [readOf(current, some, side)]
      if (old !== undefined) groups.push(readOf(old, some, 1 - side))
      const found = new Map((await Promise.all(groups)).flat().map(({ row, entry }) => [row, entry]))
      return some.flatMap((row) => found.get(row) ?? [])
    },

    async close() {
      closed = true
      await moving
      await current.close()
      await old?.close()
    },
  }
}
