import { addBit } from './bits.ts'
import { giveUp } from './give-up.ts'
import { packedLists, type SlotLists } from './packed-lists.ts'

/** Which entries of a block have a number, for each number that one of them has. */
export interface Postings {
  /** The numbers that there are. */
  numbers(): Iterable<number>
  /** Tells the slots of the entries that have a number, in rising order. */
  each(number: number, found: (slot: number) => void): void
  /** Adds these slots to a set. */
  addTo(bits: Uint32Array, number: number): void
  /** About how many they are: the bytes that they take. */
  sizeOf(number: number): number
}

/** Postings to which more are added. */
export interface OpenPostings extends Postings {
  readonly lists: ReadonlyMap<number, readonly number[]>
  /** Slots follow one another; a number that is given twice counts once. */
  add(slot: number, numbers: readonly number[]): void
}

export function openPostings(): OpenPostings {
  const lists = new Map<number, number[]>()
  return {
    lists,
    numbers: () => lists.keys(),
    each: (number, found) => lists.get(number)?.forEach((slot) => void found(slot)),
    addTo(bits, number) {
      for (const slot of lists.get(number) ?? []) addBit(bits, slot)
    },
    sizeOf: (number) => lists.get(number)?.length ?? 0,
    add(slot, numbers) {
      for (const number of numbers) {
        const list = lists.get(number)
        if (list === undefined) lists.set(number, [slot])
        else if (list.at(-1) !== slot) list.push(slot)
      }
    },
  }
}

/** The same postings of some entries, of `size` that there are, in another order; others can have their turn in between. */
export function* packedPostings(
  { lists }: OpenPostings,
  order: Uint16Array,
  size: number,
): Generator<undefined, Postings> {
  const all = [...lists].sort(([a], [b]) => a - b)
  const moved = inOrder(
    all.map(([, list]) => list),
    order,
    size,
  )
  yield
  return packedLists(
    all.map(([number]) => number),
    moved,
    order.length,
  )
}

/** Lists of slots, of `size` that there are, by their new places: in rising order, without a sort for each list. */
function inOrder(lists: readonly (readonly number[])[], order: Uint16Array, size: number): SlotLists {
  const [starts, total] = startsBySlot(lists, size)
  const next = starts.slice()
  const [listOf, ends] = [new Uint32Array(total), new Uint32Array(lists.length)]
  let end = 0
  for (const [number, list] of lists.entries()) {
    ends[number] = end
    end += list.length
    for (const slot of list) {
      const at = next[slot] ?? 0
      listOf[at] = number
      next[slot] = at + 1
    }
  }
  const begins = ends.slice()
  const slots = new Uint16Array(total)
  for (let there = 0; there < order.length; there++) {
    const slot = order[there] ?? 0
    for (let at = starts[slot] ?? 0; at < (next[slot] ?? 0); at++) {
      const number = listOf[at] ?? 0
      const place = ends[number] ?? 0
      slots[place] = there
      ends[number] = place + 1
    }
  }
  giveUp([listOf])
  return { slots, begins, ends }
}

/** By slot, in how many lists those before it are; and all. */
function startsBySlot(lists: readonly (readonly number[])[], size: number): [Uint32Array, number] {
  const starts = new Uint32Array(size)
  for (const list of lists) for (const slot of list) starts[slot] = (starts[slot] ?? 0) + 1
  let total = 0
  for (let slot = 0; slot < size; slot++) {
    const count = starts[slot] ?? 0
    starts[slot] = total
    total += count
  }
  return [starts, total]
}

/** By slot, the numbers that its entry has. */
export function numbersBySlot(postings: Postings, slots: number): readonly (readonly number[])[] {
  const bySlot = Array.from({ length: slots }, (): number[] => [])
  for (const number of postings.numbers()) postings.each(number, (slot) => bySlot[slot]?.push(number))
  return bySlot
}
