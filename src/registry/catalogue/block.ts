import { type Dictionary, openDictionary, packedDictionary, wordAt } from './dictionary.ts'
import { createNames, type Names } from './names.ts'
import { numbersBySlot, openPostings, type Postings, packedPostings } from './postings.ts'

/** Entries of a block: so few that closing one, or searching it, takes some milliseconds at most. */
export const BLOCK_SIZE = 16_384

/** What many crates are found by, in as few objects as can be. */
export interface Block {
  readonly size: number
  readonly names: Omit<Names, 'add'>
  /** Of which row each is. */
  readonly rows: Uint32Array
  /** Those that are not to be found are {@link HIDDEN}, the others 0. */
  readonly hidden: Uint8Array
  readonly dictionary: Dictionary
  /** What else they are found by: numbers of the dictionary. */
  readonly words: Postings
  /** The numbers of their tags. */
  readonly tags: Postings
}

/** Of an entry that has moved to a later block, or whose crate is gone. */
export const HIDDEN = 0xff

/** An entry of a block. */
export interface BlockEntry {
  readonly row: number
  /** As its crate spells it. */
  readonly spelling: string
  readonly canonical: string
  readonly words: readonly string[]
  readonly tags: readonly number[]
  readonly isGone: boolean
}

/** A block that takes entries. */
export interface OpenBlock extends Block {
  add(entry: BlockEntry): void
  /** The same block, closed. */
  seal(): Block
}

/** A block for so many entries. */
export function openBlock(most: number): OpenBlock {
  const names = createNames(most)
  const [rows, hidden] = [new Uint32Array(most), new Uint8Array(most)]
  const dictionary = openDictionary()
  const [words, tags] = [openPostings(), openPostings()]
  let size = 0
  return {
    get size() {
      return size
    },
    ...{ names, rows, hidden, dictionary, words, tags },
    add({ row, spelling, canonical, isGone, ...found }) {
      names.add(canonical, spelling)
      rows[size] = row
      hidden[size] = isGone ? HIDDEN : 0
      words.add(size, found.words.map(dictionary.numberOf))
      tags.add(size, found.tags)
      size += 1
    },
    seal: () => ({
      ...{ size, names, rows, hidden, dictionary: packedDictionary(dictionary) },
      ...{ words: packedPostings(words), tags: packedPostings(tags) },
    }),
  }
}

/** A block whose entries have all moved elsewhere. */
export const EMPTY_BLOCK: Block = openBlock(0).seal()

/** All entries, also those that have moved; whose crates are gone is for the caller to tell. */
export function* entriesIn(block: Block, isGone: (row: number) => boolean): Generator<BlockEntry> {
  const words = numbersBySlot(block.words, block.size)
  const tags = numbersBySlot(block.tags, block.size)
  for (let slot = 0; slot < block.size; slot++) {
    const row = block.rows[slot] ?? 0
    yield {
      ...{
        row,
        spelling: block.names.spellingAt(slot),
        canonical: block.names.at(slot),
        isGone: isGone(row),
      },
      words: (words[slot] ?? []).map((number) => wordAt(block.dictionary, number)),
      tags: tags[slot] ?? [],
    }
  }
}
