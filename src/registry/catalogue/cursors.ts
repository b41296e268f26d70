import { type Block, nameStart } from './block.ts'
import { wordsWith } from './dictionary.ts'
import { listCursor, slotAt } from './number-lists.ts'

/**
 * Goes through the entries of a block that have something, from the first on. A search with several conditions lets
 * each skip what the others do not have, so it looks at few entries one by one.
 */
export interface Cursor {
  /** The first slot from `slot` on that has it, or the number of slots; it is asked for slots in rising order. */
  next(slot: number): number
}

/** A cursor for a term of a search. */
export interface TermCursor extends Cursor {
  /** How well the term fits the slot that was found last, by its place, as {@link Matches.ranks} are. */
  rank(): number
}

/** The entries that have a term in their name, or in one of their words. */
export function termCursor(block: Block, term: string): TermCursor {
  const name = nameCursor(block, term)
  const words = listCursor(block.words, wordsWith(block.dictionary, term))
  let found = -1
  return {
    next(slot) {
      if (found < slot) found = Math.min(name.next(slot), words.next(slot))
      return found
    },
    rank: () => (name.found === found ? name.rank() : 3),
  }
}

interface NameCursor extends TermCursor {
  readonly found: number
}

function nameCursor(block: Block, term: string): NameCursor {
  const { names, starts, lengths, rows } = block
  let [found, at] = [-1, -1]
  return {
    get found() {
      return found
    },
    next(slot) {
      if (found >= slot) return found
      at = slot < rows.length ? names.indexOf(term, starts[slot]) : -1
      found = at < 0 ? rows.length : slotAt(starts, at, slot)
      return found
    },
    rank() {
      if (at > nameStart(block, found)) return 2
      return term.length === lengths[found] ? 0 : 1
    },
  }
}

/** The entries whose name begins so. */
export function letterCursor(block: Block, letter: string): Cursor {
  const { names, rows } = block
  return {
    next(slot) {
      let at = slot
      while (at < rows.length && !names.startsWith(letter, nameStart(block, at))) at++
      return at
    },
  }
}

/** The first slot from `slot` on that all cursors have. */
export function meet(cursors: readonly Cursor[], slot: number, slots: number): number {
  const [only, second] = cursors
  if (only !== undefined && second === undefined) return only.next(slot)
  let [at, agreed] = [slot, 0]
  for (let turn = 0; agreed < cursors.length && at < slots; turn++) {
    const next = cursors[turn % cursors.length]?.next(at) ?? at
    agreed = next === at ? agreed + 1 : 1
    at = next
  }
  return at
}
