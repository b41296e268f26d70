import { type Bits, keepBits, noBits } from './bits.ts'
import { giveUp } from './give-up.ts'
import { type NameText, SEAM } from './name-text.ts'
import { packedLists, type SlotLists } from './packed-lists.ts'
import type { Postings } from './postings.ts'

/** What canonical names are made of. */
const LETTERS = '0123456789_abcdefghijklmnopqrstuvwxyz'
/** By character, its place among them, from 1. */
const PLACES = Uint8Array.from({ length: 256 }, (_, code) => LETTERS.indexOf(String.fromCharCode(code)) + 1)
const BASE = LETTERS.length + 1
const KINDS = BASE * BASE
/** Of the pairs of a term so few are looked at, the rarest ones: few names that have them do not have the others. */
const MOST = 3
/** Names that are looked at rather than whether they have another pair. */
const FEW = 64

/** A part of names, and what names that have it are listed under. */
export interface NamePart {
  readonly letters: string
  /** A letter, or all pairs of letters that follow one another; none where no name has such letters. */
  readonly kinds: readonly number[]
}

/** Tells which names of a text may have a part, without a look at them. */
export interface LetterIndex {
  mayHave(part: NamePart): boolean
  /** Leaves in a set the names that may have a part: where that is of one or two letters, those that have it. */
  keepIn(bits: Bits, part: NamePart): void
}

/** Others can have their turn while it is made. */
export function* letterIndex(text: NameText): Generator<undefined, LetterIndex> {
  const kinds = kindsIn(text)
  yield
  const lists = listsOf(kinds)
  yield
  return readIndex(packedLists(Array.from(lists.ends.keys()), lists, text.size), text.size)
}

function readIndex(postings: Postings, size: number): LetterIndex {
  const some = noBits(size)
  return {
    mayHave: ({ kinds }) => kinds.length > 0 && kinds.every((kind) => postings.sizeOf(kind) > 0),
    keepIn(bits, { kinds }) {
      if (kinds.length === 0) bits.fill(0)
      const sizes = kinds.map((kind) => ({ kind, size: postings.sizeOf(kind) }))
      sizes.sort((a, b) => a.size - b.size)
      for (const [place, { kind }] of sizes.entries()) {
        if (place === MOST || (sizes[place - 1]?.size ?? FEW) < FEW) return
        some.fill(0)
        postings.addTo(some, kind)
        keepBits(bits, some)
      }
    },
  }
}

/** The kinds of all names, one name behind the other. */
interface NameKinds {
  readonly kinds: Uint16Array<ArrayBuffer>
  /** By slot, where the kinds of its name end. */
  readonly ends: Uint32Array
  /** By kind, how many names have it. */
  readonly counts: Uint32Array
}

/** The kinds that are in each name, each once: a pair is numbered by its two letters, a letter as if nothing followed. */
function kindsIn({ bytes, used, size }: NameText): NameKinds {
  const kinds = new Uint16Array(2 * used)
  const [ends, counts] = [new Uint32Array(size), new Uint32Array(KINDS)]
  /** By kind, the last slot that has it, from 1. */
  const last = new Uint16Array(KINDS)
  let [slot, before, count] = [0, 0, 0]
  const note = (kind: number) => {
    if (last[kind] === slot + 1) return
    last[kind] = slot + 1
    counts[kind] = (counts[kind] ?? 0) + 1
    kinds[count] = kind
    count += 1
  }
  for (let at = SEAM; at <= used; at++) {
    const place = at < used ? (PLACES[bytes[at] ?? 0] ?? 0) : 0
    if (place === 0) ends[slot++] = count
    else {
      note(place * BASE)
      if (before > 0) note(before * BASE + place)
    }
    before = place
  }
  return { kinds, ends, counts }
}

/** By kind, the slots of names that have it. */
function listsOf({ kinds, ends: nameEnds, counts }: NameKinds): SlotLists {
  const begins = new Uint32Array(KINDS)
  let total = 0
  for (let kind = 0; kind < KINDS; kind++) {
    begins[kind] = total
    total += counts[kind] ?? 0
  }
  const [slots, ends] = [new Uint16Array(total), begins.slice()]
  let at = 0
  for (let slot = 0; slot < nameEnds.length; slot++)
    for (; at < (nameEnds[slot] ?? 0); at++) {
      const kind = kinds[at] ?? 0
      const end = ends[kind] ?? 0
      slots[end] = slot
      ends[kind] = end + 1
    }
  giveUp([kinds])
  return { slots, begins, ends }
}

/** A part of names as they are looked for. */
export function namePart(letters: string): NamePart {
  const places = Array.from(letters, (letter) => PLACES[letter.charCodeAt(0)] ?? 0)
  const pairs = places.slice(1).map((place, i) => (places[i] ?? 0) * BASE + place)
  const kinds = pairs.length > 0 ? pairs : places.map((place) => place * BASE)
  return { letters, kinds: places.includes(0) ? [] : [...new Set(kinds)] }
}
