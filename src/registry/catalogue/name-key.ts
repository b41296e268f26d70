/** The characters of canonical names, in order: of so few, six fit into 32 bits. */
const LETTERS = ' 0123456789_abcdefghijklmnopqrstuvwxyz'
const KEY_LETTERS = 6
/** By character, its place among them. */
const PLACES = Uint8Array.from({ length: 128 }, (_, code) =>
  Math.max(0, LETTERS.indexOf(String.fromCharCode(code))),
)
/** More than there are slots in a block. */
const SLOTS = 2 ** 16
/** So few are put in order at once. */
const FEW = 16

/** Keys are lower than that. */
export const NAME_KEYS = LETTERS.length ** KEY_LETTERS

/** Orders names as their first letters do. */
export function nameKey(name: string): number {
  let key = 0
  for (let i = 0; i < KEY_LETTERS; i++)
    key = key * LETTERS.length + (i < name.length ? (PLACES[name.charCodeAt(i)] ?? 0) : 0)
  return key
}

/** The highest key of names that begin so. */
export function lastKey(beginning: string): number {
  return nameKey(beginning.padEnd(KEY_LETTERS, LETTERS.at(-1)))
}

/** The slots of names in their order; `compare` is asked about those with the same key. */
export function nameOrder(keys: Uint32Array, compare: (a: number, b: number) => number): Uint16Array {
  // Numbers sort without a call for each comparison.
  const sorted = new Float64Array(keys.length)
  for (let slot = 0; slot < keys.length; slot++) sorted[slot] = (keys[slot] ?? 0) * SLOTS + slot
  sorted.sort()
  const order = new Uint16Array(keys.length)
  for (let place = 0; place < order.length; place++) order[place] = (sorted[place] ?? 0) % SLOTS
  const keyAt = (place: number) => keys[order[place] ?? 0]
  for (let from = 0, to = 0; from < order.length; from = to) {
    const key = keyAt(from)
    for (to = from + 1; to < order.length && keyAt(to) === key; ) to++
    if (to - from <= FEW) insert(order, from, to, compare)
    else order.subarray(from, to).sort(compare)
  }
  return order
}

/** Puts a few slots in order. */
function insert(
  order: Uint16Array,
  from: number,
  to: number,
  compare: (a: number, b: number) => number,
): void {
  for (let next = from + 1; next < to; next++) {
    const slot = order[next] ?? 0
    let place = next
    for (; place > from && compare(slot, order[place - 1] ?? 0) < 0; place--)
      order[place] = order[place - 1] ?? 0
    order[place] = slot
  }
}
