import { createColumn } from './columns.ts'

/** Finds rows by name in about twelve bytes a row: a `Map` of a million names takes six times as much. */
export interface NameIndex {
  find(name: string): number | undefined
  /** Takes note of a row whose name is not there yet. */
  add(name: string, row: number): void
}

const FIRST_SLOTS = 1024
/** Slots in use, at most: fuller tables make for long searches. */
const MAX_LOAD = 0.6

/** An open-addressing hash table; `nameOf` tells the name of a row that was added. */
export function createNameIndex(nameOf: (row: number) => string): NameIndex {
  /** Row + 1; 0 is a free slot. */
  let slots = new Uint32Array(FIRST_SLOTS)
  let count = 0
  /** With them the table grows without looking at a name. */
  const hashes = createColumn(Uint32Array)

  function place(row: number): void {
    const mask = slots.length - 1
    let at = hashes.get(row) & mask
    while (slots[at] !== 0) at = (at + 1) & mask
    slots[at] = row + 1
  }

  function grow(): void {
    const before = slots
    slots = new Uint32Array(before.length * 2)
    for (const row of before) if (row !== 0) place(row - 1)
  }

  return {
    find(name) {
      const hash = hashOf(name)
      const mask = slots.length - 1
      for (let at = hash & mask; ; at = (at + 1) & mask) {
        const row = slots[at] ?? 0
        if (row === 0) return undefined
        if (hashes.get(row - 1) === hash && nameOf(row - 1) === name) return row - 1
      }
    },
    add(name, row) {
      count += 1
      hashes.set(row, hashOf(name))
      if (count > slots.length * MAX_LOAD) grow()
      place(row)
    },
  }
}

/** FNV-1a, with its bits mixed once more: the table looks at the lowest ones. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}
