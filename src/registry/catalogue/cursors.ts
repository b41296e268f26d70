import type { Block } from './block.ts'

/**
 * Goes through the entries of a block that have something, from the first on. A search with several conditions lets
 * each skip what the others do not have, so it looks at few entries one by one.
 */
export interface Cursor {
  /** The first slot from `slot` on that has it, or the number of slots; it is asked for slots in rising order. */
  next(slot: number): number
}

/** A cursor for a text. */
export interface TextCursor extends Cursor {
  readonly text: string
  /** Where the text first occurs in the slot that was found last. */
  readonly at: number
}

/** The entries in whose words a term occurs. */
export function termCursor({ text, starts, rows }: Block, term: string): TextCursor {
  let [found, at] = [-1, -1]
  return {
    text: term,
    get at() {
      return at
    },
    next(slot) {
      if (found >= slot) return found
      at = slot < rows.length ? text.indexOf(term, starts[slot]) : -1
      found = at < 0 ? rows.length : slotAt(starts, at, slot)
      return found
    },
  }
}

/** The entries that have one of these tags. */
export function tagCursor(block: Block, numbers: readonly number[]): Cursor {
  const cursors = numbers.map((number) => oneTag(block, number))
  return {
    next: (slot) => cursors.reduce((first, one) => Math.min(first, one.next(slot)), block.rows.length),
  }
}

function oneTag({ tags, tagStarts, rows }: Block, number: number): Cursor {
  let found = -1
  return {
    next(slot) {
      if (found >= slot) return found
      const at = slot < rows.length ? tags.indexOf(number, tagStarts[slot]) : -1
      found = at < 0 ? rows.length : slotAt(tagStarts, at, slot)
      return found
    },
  }
}

/** The first slot from `slot` on that all cursors have. */
export function meet(cursors: readonly Cursor[], slot: number, slots: number): number {
  let [at, agreed] = [slot, 0]
  for (let turn = 0; agreed < cursors.length && at < slots; turn++) {
    const next = cursors[turn % cursors.length]?.next(at) ?? at
    agreed = next === at ? agreed + 1 : 1
    at = next
  }
  return at
}

/** The slot that has a position, at or after `slot`. */
function slotAt(starts: ArrayLike<number>, at: number, slot: number): number {
  let found = slot
  while ((starts[found + 1] ?? 0) <= at) found++
  return found
}
