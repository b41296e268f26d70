import type { Block } from './block.ts'
import { createFits, type Wanted } from './fits.ts'
import { eachSlot, leaveOut, type Matches, matchesOf, type Part } from './matches.ts'
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

/** What somebody may see of a table. */
export interface Visibility {
  isVisible(row: number): boolean
  /** Whether that is all of a block, where it can be told without a look at each row. */
  seesAll?(block: Block): boolean
}

/** The crates that fit, found block by block; `pause` lets others work in between. */
export async function matchingRows(
  table: CrateTable,
  criteria: CrateCriteria,
  visibility: Visibility,
  pause: () => Promise<void>,
): Promise<Matches> {
  const before = table.changes
  const fitsOf = createFits(prepare(criteria, table.tags))
  const only = criteria.names && slotsByBlock(table, criteria.names)
  const parts: Part[] = []
  for (const block of only?.keys() ?? table.blocks) {
    const levels = fitsOf(block)
    if (levels !== undefined)
      parts.push(visiblePart({ block, levels: levels.slice() }, visibility, only?.get(block)))
    // What is looked for by its place must not move.
    if (only === undefined) await pause()
  }
  return matchesOf(table.changes === before ? parts : withoutRepeats(parts))
}

/** Where crates of these names are. */
function slotsByBlock(table: CrateTable, names: readonly string[]): ReadonlyMap<Block, ReadonlySet<number>> {
  const slots = new Map<Block, Set<number>>()
  for (const row of new Set(names.map(table.rowOf))) {
    if (row === undefined) continue
    const block = table.blockOf(row)
    slots.set(block, (slots.get(block) ?? new Set()).add(table.slotOf(row)))
  }
  return slots
}

/** The same part without what may not be seen or is not meant. */
function visiblePart(part: Part, { isVisible, seesAll }: Visibility, only?: ReadonlySet<number>): Part {
  const { block } = part
  if (only === undefined && seesAll?.(block)) return part
  eachSlot(part, (slot) => {
    if (only?.has(slot) === false || !isVisible(block.rows[slot] ?? 0)) leaveOut(part, slot)
  })
  return part
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
function withoutRepeats(parts: readonly Part[]): readonly Part[] {
  const met = new Set<number>()
  for (const part of parts.toReversed())
    eachSlot(part, (slot) => {
      const row = part.block.rows[slot] ?? 0
      if (met.has(row)) leaveOut(part, slot)
      met.add(row)
    })
  return parts
}
