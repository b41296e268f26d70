/** A set of slots: a bit for each. */
export type Bits = Uint32Array<ArrayBuffer>

/** Slots of a word of bits. */
export const WORD_BITS = 32

/** An empty set for so many slots. */
export function noBits(slots: number): Bits {
  return new Uint32Array(wordsFor(slots))
}

/** Words of the set of so many slots. */
export function wordsFor(slots: number): number {
  return Math.ceil(slots / WORD_BITS)
}

export function addBit(bits: Uint32Array, slot: number): void {
  const word = slot >>> 5
  bits[word] = (bits[word] ?? 0) | (1 << (slot & 31))
}

/** Adds the slots from one up to another, that one not included. */
export function addRange(bits: Uint32Array, from: number, to: number): void {
  for (let slot = from; slot < to; ) {
    const end = Math.min(to, (slot | 31) + 1)
    const word = slot >>> 5
    bits[word] = (bits[word] ?? 0) | ((-1 >>> (WORD_BITS - (end - slot))) << (slot & 31))
    slot = end
  }
}

/** Whether there is any. */
export function hasBits(bits: Uint32Array): boolean {
  for (let word = 0; word < bits.length; word++) if (bits[word] !== 0) return true
  return false
}

/** Leaves of a set what is in another one too. */
export function keepBits(bits: Uint32Array, others: Uint32Array): void {
  for (let word = 0; word < bits.length; word++) bits[word] = (bits[word] ?? 0) & (others[word] ?? 0)
}

export function hasBit(bits: Uint32Array, slot: number): boolean {
  return ((bits[slot >>> 5] ?? 0) & (1 << (slot & 31))) !== 0
}

export function removeBit(bits: Uint32Array, slot: number): void {
  const word = slot >>> 5
  bits[word] = (bits[word] ?? 0) & ~(1 << (slot & 31))
}

/** How many bits of a word are set. */
export function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** The place of the lowest bit that is set; of no bit at all -1. */
export function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word)
}

/** The slots of a set, in rising order. */
export function eachBit(bits: Uint32Array, found: (slot: number) => void): void {
  for (let word = 0; word < bits.length; word++)
    for (let rest = bits[word] ?? 0; rest !== 0; rest &= rest - 1) found(word * WORD_BITS + lowestBit(rest))
}
