/** Numbers in as few bytes as they need, or as they come. */
export type Numbers = readonly number[] | Uint16Array | Uint32Array

/** Which entries of a block have a number, for each number that one of them has. */
export interface Postings {
  /** The slots of the entries that have it, in rising order. */
  of(number: number): Numbers
  /** All numbers, with what {@link Postings.of} says of them. */
  all(): Iterable<readonly [number: number, slots: Numbers]>
}

/** Postings to which more are added. */
export interface OpenPostings extends Postings {
  /** Slots follow one another; an entry has a number once. */
  add(slot: number, numbers: readonly number[]): void
}

const NOWHERE: Numbers = []

export function openPostings(): OpenPostings {
  const lists = new Map<number, number[]>()
  return {
    of: (number) => lists.get(number) ?? NOWHERE,
    all: () => lists,
    add(slot, numbers) {
      for (const number of numbers) {
        const list = lists.get(number)
        if (list === undefined) lists.set(number, [slot])
        else list.push(slot)
      }
    },
  }
}

/** The same postings, in a few objects that are not for the garbage collector to walk through. */
export function packedPostings(open: Postings): Postings {
  const lists = [...open.all()].sort(([a], [b]) => a - b)
  const numbers = packed(lists.map(([number]) => number))
  const ends = new Uint32Array(lists.length)
  // A block has far fewer entries than that.
  const slots = new Uint16Array(lists.reduce((sum, [, list]) => sum + list.length, 0))
  let end = 0
  for (const [place, [, list]] of lists.entries()) {
    slots.set(list, end)
    end += list.length
    ends[place] = end
  }
  const listAt = (place: number) => slots.subarray(place === 0 ? 0 : ends[place - 1], ends[place])
  return {
    of(number) {
      const place = placeOf(numbers, number)
      return numbers[place] === number ? listAt(place) : NOWHERE
    },
    *all() {
      for (const [place, number] of numbers.entries()) yield [number, listAt(place)]
    },
  }
}

/** By slot, the numbers that its entry has. */
export function numbersBySlot(postings: Postings, slots: number): readonly (readonly number[])[] {
  const bySlot = Array.from({ length: slots }, (): number[] => [])
  for (const [number, list] of postings.all()) for (const slot of list) bySlot[slot]?.push(number)
  return bySlot
}

/** The same numbers, in as few bytes as they need. */
export function packed(numbers: ArrayLike<number>): Uint16Array | Uint32Array {
  let most = 0
  for (let i = 0; i < numbers.length; i++) most = Math.max(most, numbers[i] ?? 0)
  return most <= 0xffff ? new Uint16Array(numbers) : new Uint32Array(numbers)
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
