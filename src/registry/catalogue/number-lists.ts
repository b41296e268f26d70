import type { Cursor } from './cursors.ts'

/** Numbers that can be searched. */
export type Numbers = readonly number[] | Uint16Array | Uint32Array

/** A list of numbers for each entry of a block, one list behind the other. */
export interface NumberLists {
  readonly values: Numbers
  /** Where the list of each begins, and the last one ends. */
  readonly starts: ArrayLike<number>
}

/** Lists to which more are added. */
export interface OpenNumberLists extends NumberLists {
  add(numbers: readonly number[]): void
}

export function openNumberLists(): OpenNumberLists {
  const [values, starts]: [number[], number[]] = [[], [0]]
  return {
    values,
    starts,
    add(numbers) {
      for (const number of numbers) values.push(number)
      starts.push(values.length)
    },
  }
}

export function packedLists({ values, starts }: NumberLists): NumberLists {
  return { values: packed(values), starts: packed(starts) }
}

/** The same numbers, in as few bytes as they need. */
export function packed(numbers: ArrayLike<number>): Uint16Array | Uint32Array {
  let most = 0
  for (let i = 0; i < numbers.length; i++) most = Math.max(most, numbers[i] ?? 0)
  return most <= 0xffff ? new Uint16Array(numbers) : new Uint32Array(numbers)
}

export function listAt({ values, starts }: NumberLists, slot: number): readonly number[] {
  return Array.from(values.slice(starts[slot] ?? 0, starts[slot + 1] ?? 0))
}

/** Numbers that are each looked for on their own: Node finds one many times as fast as a loop finds any. */
const FEW = 4

/** The entries that have one of these numbers. */
export function listCursor(lists: NumberLists, wanted: readonly number[]): Cursor {
  const { values } = lists
  if (wanted.length > FEW) return cursorOf(lists, findAny(values, wanted))
  const [only, ...others] = wanted.map((number) => cursorOf(lists, findOne(values, number)))
  if (only === undefined) return { next: () => lists.starts.length - 1 }
  if (others.length === 0) return only
  return { next: (slot) => others.reduce((first, one) => Math.min(first, one.next(slot)), only.next(slot)) }
}

function cursorOf({ starts }: NumberLists, find: Find): Cursor {
  const slots = starts.length - 1
  let found = -1
  return {
    next(slot) {
      if (found >= slot) return found
      const at = slot < slots ? find(starts[slot] ?? 0) : -1
      found = at < 0 ? slots : slotAt(starts, at, slot)
      return found
    },
  }
}

/** Where one of the wanted numbers is, at or after a position; -1: nowhere. */
type Find = (from: number) => number

function findOne(values: Numbers, wanted: number): Find {
  return (from) => values.indexOf(wanted, from)
}

function findAny(values: Numbers, wanted: readonly number[]): Find {
  const isWanted = new Uint8Array(1 + wanted.reduce((a, b) => Math.max(a, b)))
  for (const number of wanted) isWanted[number] = 1
  return (from) => {
    for (let at = from; at < values.length; at++) if (isWanted[values[at] ?? 0] === 1) return at
    return -1
  }
}

/** The slot that has a position, at or after `slot`. */
export function slotAt(starts: ArrayLike<number>, at: number, slot: number): number {
  let found = slot
  while ((starts[found + 1] ?? 0) <= at) found++
  return found
}
