/** Numbers in [0, 1), the same ones for the same seed. */
export type Random = () => number

/** The mulberry32 generator. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A whole number from `low` to below `high`. */
export function between(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low))
}

/** One of the items. */
export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[between(random, 0, items.length)]
  if (item === undefined) throw new Error('there is nothing to pick from')
  return item
}

/** Bytes that no compression makes smaller. */
export function randomBytesFrom(random: Random, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(Math.floor(random() * 2 ** 32), at)
  for (let at = length - (length % 4); at < length; at++) bytes[at] = between(random, 0, 256)
  return bytes
}
