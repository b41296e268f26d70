import { canonicalName } from '../../protocol/name.ts'
import type { CatalogueEntry } from './entry.ts'

/** What separates the parts of the searched text; no term of a search has such a character. */
const [ENTRY, PART] = ['\n', '\t']
const SEPARATORS = /[\n\t]/g

/**
 * The text of an entry that searches go through: name, description, keywords, and the name as it is spelled, folded as
 * names are. A string of bytes, one character for each byte of UTF-8: half the memory of two-byte characters, and
 * searched twice as fast. (The spelling at the end, where it differs from the folded name, is found by nothing that the
 * name is not found by.)
 */
export function wordsOf({ name, description, keywords }: CatalogueEntry): string {
  const about = canonicalName([description, ...keywords].join(' ').replace(SEPARATORS, ' '))
  const folded = canonicalName(name)
  return `${ENTRY}${folded}${PART}${bytesOf(about)}${PART}${folded === name ? '' : name}`
}

/** A term as it occurs in {@link wordsOf}. */
export function termBytes(term: string): string {
  return bytesOf(canonicalName(term))
}

/** Characters of the words of an entry before the name that they begin with. */
export const BEFORE_NAME = ENTRY.length

export function nameLengthOf(words: string): number {
  return words.indexOf(PART) - BEFORE_NAME
}

/** The name as its crate spells it. */
export function spellingIn(words: string): string {
  return words.slice(words.lastIndexOf(PART) + PART.length) || words.slice(BEFORE_NAME, words.indexOf(PART))
}

const ASCII = /^[\t\n -~]*$/

function bytesOf(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}
