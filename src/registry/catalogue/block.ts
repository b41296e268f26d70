import { type Dictionary, openDictionary, packedDictionary, packedText, wordAt } from './dictionary.ts'
import { listAt, type NumberLists, openNumberLists, packed, packedLists } from './number-lists.ts'

/** Entries of a block: so few that closing one, or searching it, takes some milliseconds at most. */
export const BLOCK_SIZE = 16_384

/** Before the name of an entry, and between its canonical form and its spelling, if that is another one. */
const [NAME, SPELLING] = ['\n', '\t']

/** What many crates are found by, in as few objects as can be. */
export interface Block {
  /** The names of all, one behind the other. */
  readonly names: string
  /** Where each begins, and the last one ends. */
  readonly starts: ArrayLike<number>
  /** How long the canonical form of each is. */
  readonly lengths: ArrayLike<number>
  /** Of which row each is. */
  readonly rows: ArrayLike<number>
  readonly dictionary: Dictionary
  /** What else they are found by: numbers of the dictionary. */
  readonly words: NumberLists
  /** The numbers of their tags. */
  readonly tags: NumberLists
}

/** An entry of a block. */
export interface BlockEntry {
  readonly row: number
  /** As its crate spells it. */
  readonly spelling: string
  readonly canonical: string
  readonly words: readonly string[]
  readonly tags: readonly number[]
}

/** A block that takes entries. */
export interface OpenBlock extends Block {
  add(entry: BlockEntry): void
  /** The same block, closed. */
  seal(): Block
}

export function openBlock(): OpenBlock {
  let names = ''
  const [starts, lengths, rows]: [number[], number[], number[]] = [[0], [], []]
  const dictionary = openDictionary()
  const [words, tags] = [openNumberLists(), openNumberLists()]
  return {
    get names() {
      return names
    },
    ...{ starts, lengths, rows, dictionary, words, tags },
    add(entry) {
      const { row, spelling, canonical } = entry
      names += NAME + canonical + (spelling === canonical ? '' : SPELLING + spelling)
      starts.push(names.length)
      lengths.push(canonical.length)
      rows.push(row)
      words.add(entry.words.map(dictionary.numberOf))
      tags.add(entry.tags)
    },
    seal: () => ({
      names: packedText(names),
      ...{ starts: packed(starts), lengths: packed(lengths), rows: packed(rows) },
      dictionary: packedDictionary(dictionary),
      ...{ words: packedLists(words), tags: packedLists(tags) },
    }),
  }
}

/** A block whose entries have all moved elsewhere. */
export const EMPTY_BLOCK: Block = openBlock().seal()

/** Where the canonical name of an entry begins in the names. */
export function nameStart({ starts }: Block, slot: number): number {
  return (starts[slot] ?? 0) + NAME.length
}

export function nameAt(block: Block, slot: number): string {
  const start = nameStart(block, slot)
  return block.names.slice(start, start + (block.lengths[slot] ?? 0))
}

/** The name as its crate spells it. */
export function spellingAt(block: Block, slot: number): string {
  const after = nameStart(block, slot) + (block.lengths[slot] ?? 0)
  const end = block.starts[slot + 1] ?? 0
  return after === end ? nameAt(block, slot) : block.names.slice(after + SPELLING.length, end)
}

export function entryAt(block: Block, slot: number): BlockEntry {
  return {
    row: block.rows[slot] ?? 0,
    spelling: spellingAt(block, slot),
    canonical: nameAt(block, slot),
    words: listAt(block.words, slot).map((number) => wordAt(block.dictionary, number)),
    tags: listAt(block.tags, slot),
  }
}
