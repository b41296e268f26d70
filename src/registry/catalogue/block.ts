import { atOnce } from '../in-turns.ts'
import { addBit, type Bits, hasBit, noBits } from './bits.ts'
import { type Dictionary, openDictionary, packedDictionary, wordAt } from './dictionary.ts'
import { nameKey, nameOrder } from './name-key.ts'
import { type Names, openNames } from './names.ts'
import { numbersBySlot, openPostings, type Postings, packedPostings } from './postings.ts'

/** Entries of a block: so few that closing one, or searching it, takes some milliseconds at most. */
export const BLOCK_SIZE = 16_384

/** Entries that are taken out of a block before others can have their turn. */
const PART = 64

/** What many crates are found by, in as few objects as can be. */
export interface Block {
  readonly size: number
  readonly names: Names
  /** By slot, what names with a lower one come behind; two names may have the same. */
  readonly nameKeys: Uint32Array
  /** Slots are in the order of names. */
  readonly isInOrder: boolean
  /** Of which row each is. */
  readonly rows: Uint32Array
  /** Those that are to be found: an entry may have moved to a later block, or its crate be gone. */
  readonly shown: Bits
  readonly dictionary: Dictionary
  /** What else they are found by: numbers of the dictionary. */
  readonly words: Postings
  /** The numbers of their tags. */
  readonly tags: Postings
}

/** An entry of a block. */
export interface BlockEntry {
  readonly row: number
  /** As its crate spells it. */
  readonly spelling: string
  readonly canonical: string
  /** Some may be there twice. */
  readonly words: readonly string[]
  readonly tags: readonly number[]
  readonly isGone: boolean
}

/** A block that takes entries. */
export interface OpenBlock extends Block {
  add(entry: BlockEntry): void
  /**
   * The same block, closed: without the entries that have moved, the others in the order of names. It takes some parts of
   * a few milliseconds; entries may be hidden in between.
   */
  seal(isLeft: (slot: number) => boolean): Generator<undefined, Block>
}

/** A block for so many entries. */
export function openBlock(most: number): OpenBlock {
  const names = openNames(most)
  const [nameKeys, rows, shown] = [new Uint32Array(most), new Uint32Array(most), noBits(most)]
  const dictionary = openDictionary()
  const [words, tags] = [openPostings(), openPostings()]
  let size = 0
  return {
    get size() {
      return size
    },
    ...{ names, nameKeys, isInOrder: false, rows, shown, dictionary, words, tags },
    add({ row, spelling, canonical, words: itsWords, tags: itsTags, isGone }) {
      names.add(canonical, spelling)
      nameKeys[size] = nameKey(canonical)
      rows[size] = row
      if (!isGone) addBit(shown, size)
      words.add(size, itsWords.map(dictionary.numberOf))
      tags.add(size, itsTags)
      size += 1
    },
    *seal(isLeft) {
      const order = nameOrder(nameKeys.subarray(0, size), names.compare).filter(isLeft)
      const sealed = { nameKeys: new Uint32Array(order.length), rows: new Uint32Array(order.length) }
      for (let there = 0; there < order.length; there++) {
        const slot = order[there] ?? 0
        sealed.nameKeys[there] = nameKeys[slot] ?? 0
        sealed.rows[there] = rows[slot] ?? 0
      }
      yield
      const sortedNames = yield* names.packed(order)
      yield
      const sortedWords = yield* packedPostings(words, order, size)
      yield
      const sortedTags = yield* packedPostings(tags, order, size)
      yield
      // Who searches meanwhile looks at the open block, and what is hidden meanwhile is hidden there.
      const stillShown = noBits(order.length)
      for (let there = 0; there < order.length; there++)
        if (hasBit(shown, order[there] ?? 0)) addBit(stillShown, there)
      return {
        ...sealed,
        ...{ size: order.length, names: sortedNames, isInOrder: true, shown: stillShown },
        ...{ dictionary: packedDictionary(dictionary), words: sortedWords, tags: sortedTags },
      }
    },
  }
}

/** A block whose entries have all moved elsewhere. */
export const EMPTY_BLOCK: Block = atOnce(openBlock(0).seal(() => true))

/**
 * All entries, also those that have moved; whose crates are gone is for the caller to tell. Where there is `undefined`,
 * others can have their turn.
 */
export function* entriesIn(
  block: Block,
  isGone: (row: number) => boolean,
): Generator<BlockEntry | undefined> {
  const words = numbersBySlot(block.words, block.size)
  yield
  const tags = numbersBySlot(block.tags, block.size)
  for (let slot = 0; slot < block.size; slot++) {
    if (slot % PART === 0) yield
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
