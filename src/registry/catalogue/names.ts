import { addBit, type Bits, eachBit, keepBits, noBits, removeBit } from './bits.ts'
import { type LetterIndex, letterIndex, type NamePart } from './letter-index.ts'
import { createNameText, GROUP, type NameText } from './name-text.ts'

/** Bytes for a name, to begin with: most are somewhat shorter. */
const USUAL_LENGTH = 16
/** A term of so few letters is in a name when its letters are beside each other. */
const PAIR = 2

/** The names of the entries of a block. */
export interface Names extends Pick<NameText, 'at' | 'spellingAt' | 'beginsWith'> {
  lengthOf(slot: number): number
  /** Whether any canonical name may have a part; found out without a look at them. */
  mayHave(part: NamePart): boolean
  /** Leaves in a set the entries whose canonical name has a part. */
  keepIn(bits: Bits, part: NamePart): void
}

/** Names to which more are added. */
export interface OpenNames extends Names, Pick<NameText, 'compare'> {
  /** The name of the next slot, in both forms. */
  add(canonical: string, spelling: string): void
  /**
   * The names of some slots, in this order: packed, and so that terms are found without a look at most of them. Others can
   * have their turn in between.
   */
  packed(slots: Uint16Array): Generator<undefined, Names>
}

/** Names for so many slots. */
export function openNames(most: number): OpenNames {
  const text = createNameText(most, most * USUAL_LENGTH)
  return {
    ...readNames(text),
    ...{ add: text.add, compare: text.compare },
    mayHave: () => true,
    keepIn(bits, { letters }) {
      const found = noBits(text.size)
      for (let group = 0; group * GROUP < text.size; group++) addGroup(text, group, found, letters)
      keepBits(bits, found)
    },
    *packed(slots) {
      let room = 0
      for (const slot of slots) room += text.endOf(slot) - text.startOf(slot) + 1
      const sorted = createNameText(slots.length, room)
      for (const slot of slots) sorted.copy(text, slot)
      yield
      return packedNames(sorted, yield* letterIndex(sorted))
    },
  }
}

/** Of nothing that is open: what closes must not keep it. */
function packedNames(text: NameText, index: LetterIndex): Names {
  return {
    ...readNames(text),
    mayHave: index.mayHave,
    keepIn(bits, part) {
      index.keepIn(bits, part)
      if (part.letters.length > PAIR)
        eachBit(bits, (slot) => {
          if (!text.includes(slot, part.letters)) removeBit(bits, slot)
        })
    },
  }
}

function readNames({
  at,
  spellingAt,
  beginsWith,
  startOf,
  endOf,
}: NameText): Omit<Names, 'keepIn' | 'mayHave'> {
  return { at, spellingAt, beginsWith, lengthOf: (slot) => endOf(slot) - startOf(slot) }
}

function addGroup(text: NameText, group: number, bits: Bits, term: string): void {
  const { starts } = text
  const end = Math.min(text.size, (group + 1) * GROUP)
  let slot = group * GROUP
  const names = text.group(group)
  for (let place = names.indexOf(term); place >= 0; place = names.indexOf(term, starts[slot])) {
    while (slot + 1 < end && (starts[slot + 1] ?? 0) <= place) slot++
    addBit(bits, slot)
    if (++slot === end) return
  }
}
