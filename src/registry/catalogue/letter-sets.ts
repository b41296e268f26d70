import { addBit, type Bits, WORD_BITS, wordsFor } from './bits.ts'
import type { NameText } from './name-text.ts'

/** What canonical names are made of. */
const LETTERS = '0123456789_abcdefghijklmnopqrstuvwxyz'
/** By character, its place among them, from 1. */
const PLACES = Uint8Array.from({ length: 256 }, (_, code) => LETTERS.indexOf(String.fromCharCode(code)) + 1)

/** The names of a text that have a letter; `undefined` when it is none that names are made of. */
export type LetterSets = (letter: string) => Bits | undefined

/** Made once, for terms of so few letters that most groups of names have them. */
export function letterSets({ bytes, used, size }: NameText): LetterSets {
  const words = wordsFor(size)
  /** One behind the other; the first one is for what is no letter. */
  const sets = new Uint32Array((LETTERS.length + 1) * words)
  let slot = -1
  for (let at = 0; at < used; at++) {
    const place = PLACES[bytes[at] ?? 0] ?? 0
    if (place === 0) slot += 1
    else addBit(sets, place * words * WORD_BITS + slot)
  }
  return (letter) => {
    const place = LETTERS.indexOf(letter) + 1
    return place === 0 ? undefined : sets.subarray(place * words, (place + 1) * words)
  }
}
