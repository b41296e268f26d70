import { createFits, type Wanted } from './fits.ts'
import { createMatches, type Matches } from './matches.ts'
import type { CrateTable } from './table.ts'
import type { TagKind, TagNumbers } from './tags.ts'
import { termBytes } from './words.ts'

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

/** The rows that fit, found block by block; `pause` lets others work in between. */
export async function matchingRows(
  table: CrateTable,
  criteria: CrateCriteria,
  isVisible: (row: number) => boolean,
  pause: () => Promise<void>,
): Promise<Matches> {
  const before = table.changes
  const found = isAnything(criteria) ? createMatches(table.size) : createMatches()
  const fitsOf = createFits(prepare(criteria, table.tags))
  const { names } = criteria
  if (names !== undefined) {
    const rows = new Set(names.map(table.rowOf).filter((row) => row !== undefined))
    const isMeant = (row: number) => rows.has(row) && isVisible(row)
    for (const block of new Set(Array.from(rows, table.blockOf)))
      found.addFitting(block, fitsOf(block), isMeant)
    return found.all()
  }
  for (const block of table.blocks) {
    found.addFitting(block, fitsOf(block), isVisible)
    await pause()
  }
  const matches = found.all()
  return table.changes === before ? matches : withoutRepeats(matches)
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

/** A crate that changed while others had their turn may have been met twice. */
function withoutRepeats({ rows, ranks }: Matches): Matches {
  const best = new Map<number, number>()
  for (const [position, row] of rows.entries()) best.set(row, ranks[position] ?? 0)
  return { rows: Uint32Array.from(best.keys()), ranks: Uint8Array.from(best.values()) }
}
