import { addBit, addBits, type Bits, eachBit, noBits, wordsFor } from './bits.ts'

/** Which entries of a block have a number, for each number that one of them has. */
export interface Postings {
  /** The numbers that there are. */
  numbers(): Iterable<number>
  /** Tells the slots of the entries that have a number, in rising order. */
  each(number: number, found: (slot: number) => void): void
  /** Adds these slots to a set. */
  addTo(bits: Uint32Array, number: number): void
}

/** Postings to which more are added. */
export interface OpenPostings extends Postings {
  readonly lists: ReadonlyMap<number, readonly number[]>
  /** Slots follow one another; an entry has a number once. */
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
    add(slot, numbers) {
      for (const number of numbers) {
        const list = lists.get(number)
        if (list === undefined) lists.set(number, [slot])
        else list.push(slot)
      }
    },
  }
}

/**
 * The same postings of some entries in another order, in a few objects that are not for the garbage collector to walk
 * through: bytes of gaps between slots, most of which are short, or a set with a bit for each slot where that takes less.
 */
export function packedPostings({ lists }: OpenPostings, order: Uint16Array, size: number): Postings {
  const all = [...lists].sort(([a], [b]) => a - b)
  const numbers = packed(all.map(([number]) => number))
  const words = wordsFor(order.length)
  const [ends, places] = [new Uint32Array(all.length), new Uint16Array(all.length)]
  const gaps: number[] = []
  const sets: Bits[] = []
  const moved = inOrder(
    all.map(([, list]) => list),
    order,
    size,
  )
  for (const [place, slots] of moved.entries()) {
    if (bytesFor(slots) > words * Uint32Array.BYTES_PER_ELEMENT) {
      const set = noBits(order.length)
      for (let i = 0; i < slots.length; i++) addBit(set, slots[i] ?? 0)
      places[place] = sets.push(set)
    } else writeGaps(gaps, slots)
    ends[place] = gaps.length
  }
  return readPostings({ numbers, ends, places, gaps: new Uint8Array(gaps), sets: joined(sets, words), words })
}

/**
 * Lists of slots, of `size` that there are, by their new places: in rising order, without a sort for each list. All of
 * them are parts of one array: many small ones would leave holes in the memory.
 */
function inOrder(
  lists: readonly (readonly number[])[],
  order: Uint16Array,
  size: number,
): readonly Uint16Array[] {
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
  const moved = new Uint16Array(total)
  for (let there = 0; there < order.length; there++) {
    const slot = order[there] ?? 0
    for (let at = starts[slot] ?? 0; at < (next[slot] ?? 0); at++) {
      const number = listOf[at] ?? 0
      const place = ends[number] ?? 0
      moved[place] = there
      ends[number] = place + 1
    }
  }
  return lists.map((_, number) => moved.subarray(begins[number], ends[number]))
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

interface Packed {
  /** In rising order. */
  readonly numbers: Uint16Array | Uint32Array
  /** Where the gaps of each end. */
  readonly ends: Uint32Array
  /** Of those that are sets, which one, from 1. */
  readonly places: Uint16Array
  readonly gaps: Uint8Array
  readonly sets: Uint32Array
  readonly words: number
}

function readPostings({ numbers, ends, places, gaps, sets, words }: Packed): Postings {
  function find(number: number, inSet: (set: Uint32Array) => void, inGaps: (slot: number) => void): void {
    const place = placeOf(numbers, number)
    if (numbers[place] !== number) return
    const set = places[place] ?? 0
    if (set > 0) inSet(sets.subarray((set - 1) * words, set * words))
    else readGaps(gaps, place === 0 ? 0 : (ends[place - 1] ?? 0), ends[place] ?? 0, inGaps)
  }
  return {
    numbers: () => numbers,
    each: (number, found) => find(number, (set) => eachBit(set, found), found),
    addTo(bits, number) {
      find(
        number,
        (set) => addBits(bits, set),
        (slot) => addBit(bits, slot),
      )
    },
  }
}

function joined(sets: readonly Uint32Array[], words: number): Uint32Array {
  const all = new Uint32Array(sets.length * words)
  for (const [place, set] of sets.entries()) all.set(set, place * words)
  return all
}

/** By slot, the numbers that its entry has. */
export function numbersBySlot(postings: Postings, slots: number): readonly (readonly number[])[] {
  const bySlot = Array.from({ length: slots }, (): number[] => [])
  for (const number of postings.numbers()) postings.each(number, (slot) => bySlot[slot]?.push(number))
  return bySlot
}

/** The same numbers, in as few bytes as they need. */
export function packed(numbers: ArrayLike<number>): Uint16Array | Uint32Array {
  let most = 0
  for (let i = 0; i < numbers.length; i++) most = Math.max(most, numbers[i] ?? 0)
  return most <= 0xffff ? new Uint16Array(numbers) : new Uint32Array(numbers)
}

/** Of a byte, the bits of a number, lowest first; one more bit says that others follow. */
const BITS = 7
const MORE = 1 << BITS

function bytesFor(slots: Uint16Array): number {
  let bytes = slots.length
  let before = 0
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i] ?? 0
    for (let gap = slot - before; gap >= MORE; gap >>>= BITS) bytes += 1
    before = slot
  }
  return bytes
}

function writeGaps(bytes: number[], slots: Uint16Array): void {
  let before = 0
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i] ?? 0
    let gap = slot - before
    for (; gap >= MORE; gap >>>= BITS) bytes.push((gap % MORE) + MORE)
    bytes.push(gap)
    before = slot
  }
}

function readGaps(bytes: Uint8Array, from: number, to: number, found: (slot: number) => void): void {
  let slot = 0
  let shift = 0
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0
    slot += (byte % MORE) << shift
    shift += BITS
    if (byte >= MORE) continue
    found(slot)
    shift = 0
  }
}

/** Where a number is among numbers in rising order, or would be. */
export function placeOf(numbers: Uint16Array | Uint32Array, number: number, length = numbers.length): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((numbers[middle] ?? 0) < number) low = middle + 1
    else high = middle
  }
  return low
}
