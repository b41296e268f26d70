/** Which entries of a block have a number, for each number that one of them has. */
export interface Postings {
  /** The numbers that there are. */
  numbers(): Iterable<number>
  /** Tells the slots of the entries that have a number, in rising order. */
  each(number: number, found: (slot: number) => void): void
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
    each: (number, found) => lists.get(number)?.forEach(found),
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
 * The same postings, in a few objects that are not for the garbage collector to walk through: bytes of gaps between
 * slots, most of which are short.
 */
export function packedPostings(open: OpenPostings): Postings {
  const lists = [...open.lists].sort(([a], [b]) => a - b)
  const numbers = packed(lists.map(([number]) => number))
  const ends = new Uint32Array(lists.length)
  let end = 0
  for (const [place, [, list]] of lists.entries()) ends[place] = end += bytesFor(list)
  const gaps = new Uint8Array(end)
  const startOf = (place: number) => (place === 0 ? 0 : (ends[place - 1] ?? 0))
  for (const [place, [, list]] of lists.entries()) writeGaps(gaps, startOf(place), list)
  return {
    numbers: () => numbers,
    each(number, found) {
      const place = placeOf(numbers, number)
      if (numbers[place] === number) readGaps(gaps, startOf(place), ends[place] ?? 0, found)
    },
  }
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

function bytesFor(slots: readonly number[]): number {
  let bytes = slots.length
  let before = 0
  for (const slot of slots) {
    for (let gap = slot - before; gap >= MORE; gap >>>= BITS) bytes += 1
    before = slot
  }
  return bytes
}

function writeGaps(bytes: Uint8Array, from: number, slots: readonly number[]): void {
  let at = from
  let before = 0
  for (const slot of slots) {
    let gap = slot - before
    for (; gap >= MORE; gap >>>= BITS) bytes[at++] = (gap % MORE) + MORE
    bytes[at++] = gap
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
function placeOf(numbers: Uint16Array | Uint32Array, number: number): number {
  let [low, high] = [0, numbers.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((numbers[middle] ?? 0) < number) low = middle + 1
    else high = middle
  }
  return low
}
