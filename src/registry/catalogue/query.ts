import { type Block, EMPTY_BLOCK, openBlock } from './block.ts'
import { meet, type TextCursor, tagCursor, termCursor } from './cursors.ts'
import { createMatches, type Matches } from './matches.ts'
import type { CrateTable } from './table.ts'
import type { TagKind, TagNumbers } from './tags.ts'
import { BEFORE_NAME, termBytes } from './words.ts'

/** Rows that are looked at before others get a turn. */
const PART = 4096

/** What crates are looked for by; all of it must fit. */
export interface CrateCriteria {
  /** All must occur, each in the name, the description or a keyword; case, `-` and `_` do not matter. */
  readonly terms?: readonly string[]
  /** What the name begins with. */
  readonly letter?: string
  readonly keyword?: string
  /** The slug of a category; those below it count. */
  readonly category?: string
  /** The canonical name of a crate that they depend on. */
  readonly dependency?: string
  /** One of these names, in any spelling. */
  readonly names?: readonly string[]
}

/**
 * The rows that fit. One pass over the text of all blocks, which makes nothing but the answer; `pause` lets others work
 * in between.
 */
export async function matchingRows(
  table: CrateTable,
  criteria: CrateCriteria,
  isVisible: (row: number) => boolean,
  pause: () => Promise<void>,
): Promise<Matches> {
  const before = table.changes
  const found = createMatches()
  const take = (row: number, rank: number) => {
    if (!table.isGone(row) && isVisible(row)) found.add(row, rank)
  }
  const { names } = criteria
  if (names !== undefined) takeNames(table, { ...criteria, names }, take)
  else if (isAnything(criteria)) {
    for (let row = 0; row < table.rows; row++) {
      take(row, 0)
      if (row % PART === 0) await pause()
    }
  } else {
    const wanted = prepare(criteria, table.tags)
    for (let block = 0; block < table.blocks.length; block++) {
      const isCurrent = (slot: number) => table.isCurrent(block, slot)
      searchBlock(table.blocks[block] ?? EMPTY_BLOCK, wanted, isCurrent, take)
      await pause()
    }
  }
  const matches = found.all()
  return table.changes === before ? matches : withoutRepeats(matches)
}

/** Criteria in the form in which they are compared with blocks. */
interface Wanted {
  /** The longest one first: it is in the fewest entries, most likely. */
  readonly terms: readonly string[]
  readonly letter: string
  /** Of each list one must be among the tags. */
  readonly tags: readonly (readonly number[])[]
}

function prepare(
  { terms = [], letter = '', keyword, category, dependency }: CrateCriteria,
  tags: TagNumbers,
): Wanted {
  const one = (kind: TagKind, value: string | undefined) =>
    value === undefined ? [] : [[tags.find(kind, value)].filter((number) => number !== undefined)]
  return {
    terms: terms.map(termBytes).sort((a, b) => b.length - a.length),
    letter: letter.toLowerCase(),
    tags: [
      ...one('keyword', keyword),
      ...(category === undefined ? [] : [tags.category(category)]),
      ...one('dependency', dependency),
    ],
  }
}

function isAnything({ terms = [], letter, keyword, category, dependency }: CrateCriteria): boolean {
  return terms.length === 0 && (letter ?? keyword ?? category ?? dependency) === undefined
}

type Take = (row: number, rank: number) => void

function takeNames(
  table: CrateTable,
  { names, ...criteria }: CrateCriteria & { readonly names: readonly string[] },
  take: Take,
): void {
  const wanted = prepare(criteria, table.tags)
  const rows = new Set(names.map((name) => table.rowOf(name)).filter((row) => row !== undefined))
  for (const row of rows) {
    const block = openBlock()
    block.add(row, table.wordsOf(row), table.tagsOf(row))
    searchBlock(block, wanted, () => true, take)
  }
}

function searchBlock(
  block: Block,
  { terms, letter, tags }: Wanted,
  isCurrent: (slot: number) => boolean,
  take: Take,
): void {
  const { text, starts, rows } = block
  const found = terms.map((term) => termCursor(block, term))
  const cursors = [...found, ...tags.map((numbers) => tagCursor(block, numbers))]
  const next = (slot: number) => meet(cursors, slot, rows.length)
  for (let slot = next(0); slot < rows.length; slot = next(slot + 1)) {
    const fits = letter === '' || text.startsWith(letter, (starts[slot] ?? 0) + BEFORE_NAME)
    if (fits && isCurrent(slot)) take(rows[slot] ?? 0, rankIn(block, slot, found))
  }
}

/** How well a slot fits that has all terms: as well as the term that fits least. */
function rankIn({ starts, nameLengths }: Block, slot: number, found: readonly TextCursor[]): number {
  const from = (starts[slot] ?? 0) + BEFORE_NAME
  const length = nameLengths[slot] ?? 0
  let rank = 0
  for (const { at, text } of found) rank = Math.max(rank, rankAt(at - from, text.length, length))
  return rank
}

/** The rank for a place in or behind a name of this length. */
function rankAt(at: number, length: number, nameLength: number): number {
  if (at >= nameLength) return 3
  if (at > 0) return 2
  return length === nameLength ? 0 : 1
}

/** A crate that changed while others had their turn may have been met twice. */
function withoutRepeats({ rows, ranks }: Matches): Matches {
  const best = new Map<number, number>()
  for (const [position, row] of rows.entries()) best.set(row, ranks[position] ?? 0)
  return { rows: Uint32Array.from(best.keys()), ranks: Uint8Array.from(best.values()) }
}
