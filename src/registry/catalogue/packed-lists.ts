import { addBit, eachBit, wordsFor } from './bits.ts'
import { giveUp } from './give-up.ts'
import { type PackedNumbers, packed, placeOf } from './numbers.ts'
import type { Postings } from './postings.ts'

/** Lists of slots, each in rising order, in one array: many small ones would leave holes in the memory. */
export interface SlotLists {
  readonly slots: Uint16Array<ArrayBuffer>
  /** By list, where it begins and ends. */
  readonly begins: Uint32Array
  readonly ends: Uint32Array
}

/**
 * Postings for numbers in rising order, which some of so many slots have, in a few objects that are not for the garbage
 * collector to walk through: bytes of gaps between slots, most of which are short, or a set with a bit for each slot where
 * that takes less. The lists are given up.
 */
export function packedLists(numbers: readonly number[], lists: SlotLists, slots: number): Postings {
  const words = wordsFor(slots)
  const most = words * Uint32Array.BYTES_PER_ELEMENT
  const sizes = Uint32Array.from(numbers, (_, place) => bytesFor(lists, place))
  let [bytes, setCount] = [0, 0]
  for (const size of sizes) {
    if (size > most) setCount += 1
    else bytes += size
  }
  const [ends, places] = [new Uint32Array(numbers.length), new Uint16Array(numbers.length)]
  const [gaps, sets] = [new Uint8Array(bytes), new Uint32Array(setCount * words)]
  let [end, set] = [0, 0]
  for (let place = 0; place < numbers.length; place++) {
    if ((sizes[place] ?? 0) > most) {
      writeSet(sets.subarray(set * words, (set + 1) * words), lists, place)
      set += 1
      places[place] = set
    } else end = writeGaps(gaps, end, lists, place)
    ends[place] = end
  }
  giveUp([lists.slots])
  return readLists({ numbers: packed(numbers), ends, places, gaps, sets, words })
}

interface Packed {
  /** In rising order. */
  readonly numbers: PackedNumbers
  /** Where the gaps of each end. */
  readonly ends: Uint32Array
  /** Of those that are sets, which one, from 1. */
  readonly places: Uint16Array
  readonly gaps: Uint8Array
  readonly sets: Uint32Array
  readonly words: number
}

function readLists({ numbers, ends, places, gaps, sets, words }: Packed): Postings {
  /** The place of a number, which is the number itself where all are there; -1 when it is not. */
  const find = (number: number) => {
    const place = numbers[number] === number ? number : placeOf(numbers, number)
    return numbers[place] === number ? place : -1
  }
  const startOf = (place: number) => (place === 0 ? 0 : (ends[place - 1] ?? 0))

  return {
    numbers: () => numbers,
    each(number, found) {
      const place = find(number)
      if (place < 0) return
      const set = places[place] ?? 0
      if (set > 0) eachBit(sets.subarray((set - 1) * words, set * words), found)
      else readGaps(gaps, startOf(place), ends[place] ?? 0, found)
    },
    addTo(bits, number) {
      const place = find(number)
      if (place < 0) return
      const from = ((places[place] ?? 0) - 1) * words
      if (from < 0) readGaps(gaps, startOf(place), ends[place] ?? 0, (slot) => addBit(bits, slot))
      else for (let word = 0; word < words; word++) bits[word] = (bits[word] ?? 0) | (sets[from + word] ?? 0)
    },
    sizeOf(number) {
      const place = find(number)
      if (place < 0) return 0
      return places[place] ? words * Uint32Array.BYTES_PER_ELEMENT : (ends[place] ?? 0) - startOf(place)
    },
  }
}

function writeSet(set: Uint32Array, { slots, begins, ends }: SlotLists, place: number): void {
  const end = ends[place] ?? 0
  for (let at = begins[place] ?? 0; at < end; at++) addBit(set, slots[at] ?? 0)
}

/** Of a byte, the bits of a number, lowest first; one more bit says that others follow. */
const BITS = 7
const MORE = 1 << BITS

function bytesFor({ slots, begins, ends }: SlotLists, place: number): number {
  const [begin, end] = [begins[place] ?? 0, ends[place] ?? 0]
  let bytes = end - begin
  let before = 0
  for (let at = begin; at < end; at++) {
    const slot = slots[at] ?? 0
    for (let gap = slot - before; gap >= MORE; gap >>>= BITS) bytes += 1
    before = slot
  }
  return bytes
}

/** Writes the gaps of a list from a place on, and tells where they end. */
function writeGaps(
  bytes: Uint8Array,
  from: number,
  { slots, begins, ends }: SlotLists,
  place: number,
): number {
  const end = ends[place] ?? 0
  let [to, before] = [from, 0]
  for (let at = begins[place] ?? 0; at < end; at++) {
    const slot = slots[at] ?? 0
    let gap = slot - before
    for (; gap >= MORE; gap >>>= BITS) bytes[to++] = (gap % MORE) + MORE
    bytes[to++] = gap
    before = slot
  }
  return to
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
