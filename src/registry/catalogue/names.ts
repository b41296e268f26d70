import { type Bits, lowestBit, WORD_BITS, wordsFor } from './bits.ts'
import { type LetterSets, letterSets } from './letter-sets.ts'
import { createNameText, GROUP, type NameText } from './name-text.ts'

/** Bytes for a name, to begin with: most are somewhat shorter. */
const USUAL_LENGTH = 16
const NEWLINE = 0x0a
const PAIR = 2
/** Three letters that follow one another are told from others by so many kinds: in a group are some hundred. */
const KINDS = 2048
const LETTERS = 3

type Found = (slot: number, at: number) => void

/** The names of the entries of a block. */
export interface Names extends Pick<NameText, 'at' | 'spellingAt' | 'beginsWith'> {
  lengthOf(slot: number): number
  /** Where a term first occurs in the canonical name of each entry that has it. */
  find(term: string, found: Found): void
  /** The entries whose canonical name has a letter, where that is known without a look at the names. */
  withLetter(letter: string): Bits | undefined
}

/** Names to which more are added. */
export interface OpenNames extends Names, Pick<NameText, 'compare'> {
  /** The name of the next slot, in both forms. */
  add(canonical: string, spelling: string): void
  /** The names of some slots, in this order: packed, and so that terms are found without a look at most of them. */
  packed(slots: Uint16Array): Names
}

/** Names for so many slots. */
export function openNames(most: number): OpenNames {
  const text = createNameText(most, most * USUAL_LENGTH)
  return {
    ...readNames(text, (_, look) => {
      for (let group = 0; group * GROUP < text.size; group++) look(group)
    }),
    withLetter: () => undefined,
    ...{ add: text.add, compare: text.compare },
    packed(slots) {
      let room = 0
      for (const slot of slots) room += text.endOf(slot) - text.startOf(slot) + 1
      const sorted = createNameText(slots.length, room)
      for (const slot of slots) sorted.copy(text, slot)
      return packedNames(sorted)
    },
  }
}

/** Of nothing that is open: what closes must not keep it. */
function packedNames(text: NameText): Names {
  const names = readNames(text, groupsOf(text))
  const sets = letterSets(text)
  return {
    ...names,
    withLetter: (letter) => (letter.length === 1 ? sets(letter) : undefined),
    find(term, found) {
      if (term.length === PAIR) findPair(text, sets, term, found)
      else names.find(term, found)
    },
  }
}

/** Looks at all groups of names that may have a term. */
type Groups = (term: string, look: (group: number) => void) => void

function readNames(text: NameText, groups: Groups): Omit<Names, 'withLetter'> {
  const { at, spellingAt, beginsWith, startOf, endOf, starts } = text

  function findIn(group: number, term: string, found: Found): void {
    const end = Math.min(text.size, (group + 1) * GROUP)
    let slot = group * GROUP
    const names = text.group(group)
    for (let place = names.indexOf(term); place >= 0; place = names.indexOf(term, starts[slot])) {
      while (slot + 1 < end && (starts[slot + 1] ?? 0) <= place) slot++
      found(slot, place - (starts[slot] ?? 0))
      if (++slot === end) return
    }
  }

  return {
    ...{ at, spellingAt, beginsWith },
    lengthOf: (slot) => endOf(slot) - startOf(slot),
    find: (term, found) => groups(term, (group) => findIn(group, term, found)),
  }
}

/** Finds two letters: many groups have them, but only names that have both. */
function findPair(
  { bytes, size, startOf, endOf }: NameText,
  sets: LetterSets,
  term: string,
  found: Found,
): void {
  const [some, others] = [sets(term.charAt(0)), sets(term.charAt(1))]
  if (some === undefined || others === undefined) return
  const [first, second] = [term.charCodeAt(0), term.charCodeAt(1)]
  for (let word = 0; word * WORD_BITS < size; word++) {
    for (let rest = (some[word] ?? 0) & (others[word] ?? 0); rest !== 0; rest &= rest - 1) {
      const slot = word * WORD_BITS + lowestBit(rest)
      const [start, end] = [startOf(slot), endOf(slot)]
      let at = start
      while (at + 1 < end && (bytes[at] !== first || bytes[at + 1] !== second)) at++
      if (at + 1 < end) found(slot, at - start)
    }
  }
}

/** For each kind of three letters a bit for each group that has some. */
function groupsOf({ bytes, used, size }: NameText): Groups {
  const words = wordsFor(Math.ceil(size / GROUP))
  const has = new Uint32Array(KINDS * words)
  let [slot, last, before] = [-1, 0, 0]
  for (let at = 0; at < used; at++) {
    const letter = bytes[at] ?? 0
    if (letter === NEWLINE) {
      slot += 1
      ;[last, before] = [0, 0]
      continue
    }
    if (before > 0) {
      const group = Math.floor(slot / GROUP)
      const word = kindOf(before, last, letter) * words + Math.floor(group / WORD_BITS)
      has[word] = (has[word] ?? 0) | (1 << (group % WORD_BITS))
    }
    before = last
    last = letter
  }
  return (term, look) => {
    const kinds = kindsOf(term)
    for (let word = 0; word < words; word++) {
      let bits = -1
      for (const kind of kinds) bits &= has[kind * words + word] ?? 0
      for (; bits !== 0; bits &= bits - 1) {
        const group = word * WORD_BITS + lowestBit(bits)
        if (group * GROUP < size) look(group)
      }
    }
  }
}

/** The kinds of all three letters that follow one another. */
function kindsOf(text: string): readonly number[] {
  const kinds: number[] = []
  for (let i = 0; i + LETTERS <= text.length; i++)
    kinds.push(kindOf(text.charCodeAt(i), text.charCodeAt(i + 1), text.charCodeAt(i + 2)))
  return kinds
}

function kindOf(a: number, b: number, c: number): number {
  return (a * 37 * 37 + b * 37 + c) % KINDS
}
