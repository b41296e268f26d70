import { type Block, EMPTY_BLOCK } from './block.ts'
import { type Cursor, letterCursor, meet, type TermCursor, termCursor } from './cursors.ts'
import { createMatches, type Matches } from './matches.ts'
import { listCursor } from './number-lists.ts'
import type { CrateTable } from './table.ts'
import type { TagKind, TagNumbers } from './tags.ts'
import { termBytes } from './words.ts'

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
 * The rows that fit. One pass over the names and words of all blocks, which makes nothing but the answer; `pause` lets
 * others work in between.
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

/** Whether every crate fits. */
export function isAnything({
  terms = [],
  letter,
  keyword,
  category,
  dependency,
  names,
}: CrateCriteria): boolean {
  return terms.length === 0 && (letter ?? keyword ?? category ?? dependency ?? names) === undefined
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
    const { block, slot } = table.placeOf(row)
    const search = searchOf(block, wanted)
    if (search.next(slot) === slot) take(row, search.rank())
  }
}

function searchBlock(block: Block, wanted: Wanted, isCurrent: (slot: number) => boolean, take: Take): void {
  const { rows } = block
  const search = searchOf(block, wanted)
  for (let slot = search.next(0); slot < rows.length; slot = search.next(slot + 1))
    if (isCurrent(slot)) take(rows[slot] ?? 0, search.rank())
}

/** The entries of a block that fit. The rank is that of the term that fits least. */
function searchOf(block: Block, { terms, letter, tags }: Wanted): TermCursor {
  const slots = block.rows.length
  const found = terms.map((term) => termCursor(block, term))
  const cursors: Cursor[] = [...found, ...tags.map((numbers) => listCursor(block.tags, numbers))]
  if (letter !== '') cursors.push(letterCursor(block, letter))
  return {
    next: (slot) => meet(cursors, slot, slots),
    rank() {
      let rank = 0
      for (const term of found) rank = Math.max(rank, term.rank())
      return rank
    },
  }
}

/** A crate that changed while others had their turn may have been met twice. */
function withoutRepeats({ rows, ranks }: Matches): Matches {
  const best = new Map<number, number>()
  for (const [position, row] of rows.entries()) best.set(row, ranks[position] ?? 0)
  return { rows: Uint32Array.from(best.keys()), ranks: Uint8Array.from(best.values()) }
}
