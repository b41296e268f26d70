import type { Block } from './block.ts'
import { createMatches, type Matches } from './matches.ts'
import type { CrateTable } from './table.ts'
import type { TagNumbers } from './tags.ts'
import { nameIn, termBytes } from './words.ts'

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
      searchBlock(table, block, wanted, take)
      await pause()
    }
  }
  const matches = found.all()
  return table.changes === before ? matches : withoutRepeats(matches)
}

/** Criteria in the form in which they are compared with text. */
interface Wanted {
  readonly terms: readonly string[]
  /** The longest term: it is in the fewest entries, most likely. */
  readonly rarest: string
  readonly letter: string
  /** Of each set one must be among the tags. */
  readonly tags: readonly ReadonlySet<number | undefined>[]
}

function prepare(
  { terms = [], letter = '', keyword, category, dependency }: CrateCriteria,
  tags: TagNumbers,
): Wanted {
  const bytes = terms.map(termBytes)
  return {
    terms: bytes,
    rarest: bytes.reduce((a, b) => (b.length > a.length ? b : a), ''),
    letter: letter.toLowerCase(),
    tags: [
      ...(keyword === undefined ? [] : [new Set([tags.find('keyword', keyword)])]),
      ...(category === undefined ? [] : [new Set(tags.category(category))]),
      ...(dependency === undefined ? [] : [new Set([tags.find('dependency', dependency)])]),
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
    const words = table.wordsOf(row)
    const rank = rankIn(words, 0, words.length, wanted)
    const tags = table.tagsOf(row)
    if (rank !== undefined && hasTags(tags, 0, tags.length, wanted)) take(row, rank)
  }
}

function searchBlock(table: CrateTable, index: number, wanted: Wanted, take: Take): void {
  const block = table.blocks[index]
  if (block === undefined) return
  const { text, starts, rows, tags, tagStarts } = block
  for (
    let slot = nextSlot(block, wanted.rarest, 0);
    slot < rows.length;
    slot = nextSlot(block, wanted.rarest, slot + 1)
  ) {
    if (!hasTags(tags, tagStarts[slot] ?? 0, tagStarts[slot + 1] ?? 0, wanted)) continue
    if (!table.isCurrent(index, slot)) continue
    const rank = rankIn(text, starts[slot] ?? 0, starts[slot + 1] ?? 0, wanted)
    if (rank !== undefined) take(rows[slot] ?? 0, rank)
  }
}

/** The first slot from `slot` on that has the term. */
function nextSlot({ text, starts, rows }: Block, term: string, slot: number): number {
  if (term === '' || slot >= rows.length) return slot
  const at = text.indexOf(term, starts[slot])
  if (at < 0) return rows.length
  let next = slot
  while ((starts[next + 1] ?? 0) <= at) next++
  return next
}

/** How well the words from `start` to `end` fit; `undefined`: not at all. */
function rankIn(text: string, start: number, end: number, { terms, letter }: Wanted): number | undefined {
  const [from, to] = nameIn(text, start)
  if (letter !== '' && !text.startsWith(letter, from)) return undefined
  const words = terms.length > 1 ? text.slice(start, end) : text
  const shift = terms.length > 1 ? start : 0
  let rank = 0
  for (const term of terms) {
    const at = words.indexOf(term, start - shift) + shift
    if (at < start) return undefined
    rank = Math.max(rank, rankAt(at, term.length, from, to))
  }
  return rank
}

function rankAt(at: number, length: number, from: number, to: number): number {
  if (at >= to) return 3
  if (at > from) return 2
  return length === to - from ? 0 : 1
}

function hasTags(tags: ArrayLike<number>, from: number, to: number, wanted: Wanted): boolean {
  for (const some of wanted.tags) {
    let at = from
    while (at < to && !some.has(tags[at])) at++
    if (at === to) return false
  }
  return true
}

/** A crate that changed while others had their turn may have been met twice. */
function withoutRepeats({ rows, ranks }: Matches): Matches {
  const best = new Map<number, number>()
  for (const [position, row] of rows.entries()) best.set(row, ranks[position] ?? 0)
  return { rows: Uint32Array.from(best.keys()), ranks: Uint8Array.from(best.values()) }
}
