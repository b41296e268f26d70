import { canonicalName } from '../../protocol/name.ts'
import { removeBit } from './bits.ts'
import {
  BLOCK_SIZE,
  type Block,
  type BlockEntry,
  EMPTY_BLOCK,
  entriesIn,
  type OpenBlock,
  openBlock,
} from './block.ts'
import { type Column, createColumn } from './columns.ts'
import { type CatalogueEntry, isNews } from './entry.ts'
import { createNameIndex } from './name-index.ts'
import { createRowDetails } from './row-details.ts'
import { createTagNumbers, type TagNumbers } from './tags.ts'
import { wordsOf } from './words.ts'

/**
 * All crates of a catalogue, in rows: a crate keeps its row. Columns of numbers and blocks of text instead of an object
 * for each crate: a million of them fit into a few hundred bytes each, and nothing of that is for the garbage collector
 * to walk through.
 */
export interface CrateTable {
  /** Rows ever given, those of crates that are gone included. */
  readonly rows: number
  /** Crates that can be found. */
  readonly size: number
  /** Grows with every change. */
  readonly changes: number
  /** Grows when a crate appears or is gone. */
  readonly arrivals: number
  /** Together they have each crate once that is not hidden. */
  readonly blocks: readonly Block[]
  readonly tags: TagNumbers
  /** The row of a name in any spelling, also of a crate that is gone. */
  rowOf(name: string): number | undefined
  isGone(row: number): boolean
  /** The canonical name. */
  nameOf(row: number): string
  /** The name as its crate spells it. */
  spellingOf(row: number): string
  /** Where its entry is. */
  blockOf(row: number): Block
  slotOf(row: number): number
  /** The entries of some rows. */
  entriesOf(rows: readonly number[]): Promise<readonly CatalogueEntry[]>
  /** By row, in seconds since 1970. */
  readonly created: Column
  readonly updated: Column
  /** Takes an entry, when it is news. */
  put(entry: CatalogueEntry): boolean
  close(): Promise<void>
}

/** Flags of a row: the crate is gone; the entry was stored by an older version, which knew less. */
const [GONE, OLD] = [1, 2]

/** `onFailure` is told when there is no room for entries but in memory. */
export function createCrateTable(
  onFailure: (error: unknown) => void,
  blockSize: number = BLOCK_SIZE,
): CrateTable {
  /** A block with no more entries that count is not worth its memory. */
  const few = blockSize / 2
  const blocks: Block[] = []
  const live: number[] = []
  let open = openBlock(blockSize)
  /** What is to be done about blocks, one after the other: each entry that is put waits for a part of it. */
  const work: Generator<undefined, void>[] = []
  /** Blocks that are given up. */
  const leaving = new Set<number>()
  let [rows, size, changes, arrivals] = [0, 0, 0, 0]
  const numbers = createColumn(Uint32Array)
  const flags = createColumn(Uint8Array)
  const places = createColumn(Uint32Array)
  const details = createRowDetails(onFailure)
  const tags = createTagNumbers()
  const created = createColumn(Uint32Array)
  const updated = createColumn(Uint32Array)
  const names = createNameIndex(nameOf)
  blocks.push(open)
  live.push(0)

  const blockOf = (row: number) => blocks[Math.floor(places.get(row) / blockSize)] ?? EMPTY_BLOCK
  const slotOf = (row: number) => places.get(row) % blockSize
  const isGone = (row: number) => (flags.get(row) & GONE) !== 0

  function nameOf(row: number): string {
    return blockOf(row).names.at(slotOf(row))
  }

  function makeRoom(): void {
    if (open.size === blockSize) close()
  }

  function append(entry: BlockEntry): void {
    makeRoom()
    const block = blocks.length - 1
    places.set(entry.row, block * blockSize + open.size)
    live[block] = (live[block] ?? 0) + 1
    open.add(entry)
  }

  function close(): void {
    const [full, block] = [open, blocks.length - 1]
    open = openBlock(blockSize)
    blocks.push(open)
    live.push(0)
    if ((live[block] ?? 0) > few) work.push(seal(full, block))
    else giveUp(block)
  }

  /** Closes a block, where entries get other places. */
  function* seal(full: OpenBlock, block: number): Generator<undefined, void> {
    const from = block * blockSize
    const sealed = yield* full.seal((slot) => places.get(full.rows[slot] ?? 0) === from + slot)
    blocks[block] = sealed
    for (let slot = 0; slot < sealed.size; slot++) {
      const row = sealed.rows[slot] ?? 0
      // Those that have moved meanwhile are in a later block.
      if (Math.floor(places.get(row) / blockSize) === block) places.set(row, from + slot)
    }
  }

  function giveUp(block: number): void {
    if (leaving.has(block)) return
    leaving.add(block)
    work.push(moveAll(block))
  }

  /** Moves what still counts in a block to the end. */
  function* moveAll(block: number): Generator<undefined, void> {
    const left = blocks[block] ?? EMPTY_BLOCK
    const from = block * blockSize
    let slot = 0
    for (const entry of entriesIn(left, isGone)) {
      if (entry === undefined) {
        yield
        continue
      }
      if (places.get(entry.row) === from + slot) {
        removeBit(left.shown, slot)
        append(entry)
      }
      slot += 1
    }
    blocks[block] = EMPTY_BLOCK
    leaving.delete(block)
  }

  /** The entry of a row counts no longer; another one has been appended. */
  function leave(place: number): void {
    const block = Math.floor(place / blockSize)
    removeBit((blocks[block] ?? EMPTY_BLOCK).shown, place % blockSize)
    live[block] = (live[block] ?? 0) - 1
    if (block < blocks.length - 1 && live[block] <= few) giveUp(block)
  }

  function known(row: number | undefined) {
    if (row === undefined) return undefined
    return { n: numbers.get(row), ...((flags.get(row) & OLD) === 0 && { created: '' }) }
  }

  return {
    get rows() {
      return rows
    },
    get size() {
      return size
    },
    get changes() {
      return changes
    },
    get arrivals() {
      return arrivals
    },
    blocks,
    rowOf: (name) => names.find(canonicalName(name)),
    isGone,
    nameOf,
    spellingOf: (row) => blockOf(row).names.spellingAt(slotOf(row)),
    ...{ blockOf, slotOf, tags },
    entriesOf: (some) => details.read(some),
    ...{ created, updated },
    put(entry) {
      const name = canonicalName(entry.name)
      const before = names.find(name)
      if (!isNews(entry, known(before))) return false
      if (work[0]?.next().done) work.shift()
      const row = before ?? rows++
      // That may move the entry before.
      makeRoom()
      const left = places.get(row)
      const more = Number(!entry.gone) - Number(before !== undefined && !isGone(row))
      size += more
      arrivals += Math.abs(more)
      numbers.set(row, entry.n)
      flags.set(row, (entry.gone ? GONE : 0) | (entry.created === undefined ? OLD : 0))
      append({
        row,
        spelling: entry.name,
        canonical: name,
        words: wordsOf(entry),
        tags: tags.of(entry),
        isGone: entry.gone === true,
      })
      details.put(row, entry)
      if (before !== undefined) leave(left)
      created.set(row, seconds(entry.created ?? entry.updated))
      updated.set(row, entry.updated === entry.created ? created.get(row) : seconds(entry.updated))
      if (before === undefined) names.add(name, row)
      changes += 1
      return true
    },
    close: details.close,
  }
}

function seconds(time: string): number {
  const ms = Date.parse(time)
  return Number.isNaN(ms) ? 0 : Math.max(0, Math.floor(ms / 1000))
}
