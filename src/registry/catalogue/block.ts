import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { CatalogueEntry } from './entry.ts'
import { tagsOf } from './tags.ts'
import { wordsOf } from './words.ts'

/** Entries of a block. */
export const BLOCK_SIZE = 256

/**
 * So many entries, one behind the other. What every search goes through lies open; the rest, which only the hits on a
 * page need, is compressed to a fifth once the block is full (`npm run bench:scale` shows what both cost).
 */
export interface Block {
  /** The words of all entries. */
  readonly text: string
  /** Where the words of each begin, and the last ones end. */
  readonly starts: ArrayLike<number>
  /** Of which row each is. */
  readonly rows: ArrayLike<number>
  entry(slot: number): CatalogueEntry
  entries(): readonly CatalogueEntry[]
  /** The tags of each. */
  tags(): readonly string[]
}

/** A block that takes entries. */
export interface OpenBlock extends Block {
  add(row: number, entry: CatalogueEntry): void
  /** The same block, closed. */
  seal(): Block
}

export function openBlock(): OpenBlock {
  let text = ''
  const starts = [0]
  const rows: number[] = []
  const entries: CatalogueEntry[] = []
  return {
    get text() {
      return text
    },
    starts,
    rows,
    entry: (slot) => at(entries, slot),
    entries: () => entries,
    tags: () => entries.map(tagsOf),
    add(row, entry) {
      text += wordsOf(entry)
      starts.push(text.length)
      rows.push(row)
      entries.push(entry)
    },
    seal: () => sealedBlock(text, starts, rows, entries),
  }
}

/** A block whose entries have all moved elsewhere. */
export const EMPTY_BLOCK: Block = {
  text: '',
  starts: [0],
  rows: [],
  entry: () => at([], 0),
  entries: () => [],
  tags: () => [],
}

function sealedBlock(
  text: string,
  starts: readonly number[],
  rows: readonly number[],
  entries: readonly CatalogueEntry[],
): Block {
  const packed = pack(entries.map((entry) => JSON.stringify(entry)))
  const tags = pack(entries.map(tagsOf))
  return {
    // Flat and of bytes: what grew piece by piece is neither.
    text: Buffer.from(text, 'latin1').toString('latin1'),
    starts: Uint32Array.from(starts),
    rows: Uint32Array.from(rows),
    entry: (slot) => parseEntry(at(unpack(packed), slot)),
    entries: () => unpack(packed).map(parseEntry),
    tags: () => unpack(tags),
  }
}

function pack(lines: readonly string[]): Buffer {
  return zstdCompressSync(lines.join('\n'))
}

function unpack(packed: Buffer): readonly string[] {
  return zstdDecompressSync(packed).toString().split('\n')
}

function parseEntry(line: string): CatalogueEntry {
  return JSON.parse(line)
}

function at<T>(items: readonly T[], slot: number): T {
  const item = items[slot]
  if (item === undefined) throw new RangeError(`a block has no slot ${slot}`)
  return item
}
