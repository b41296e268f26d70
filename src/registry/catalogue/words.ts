import { canonicalName } from '../../protocol/name.ts'
import type { CatalogueEntry } from './entry.ts'

/** What separates the parts of the searched text; no term of a search has such a character. */
const [ENTRY, PART] = ['\n', '\t']
const SEPARATORS = /[\n\t]/g

/**
 * The text of an entry that searches go through: name, description, keywords, and the name as it is spelled, folded as
 * names are. A string of bytes, one character for each byte of UTF-8: half the memory of two-byte characters, and
 * searched twice as fast. (The spelling at the end is found by nothing that the folded name is not found by.)
 */
export function wordsOf({ name, description, keywords }: CatalogueEntry): string {
  const about = canonicalName([description, ...keywords].join(' ').replace(SEPARATORS, ' '))
  return `${ENTRY}${canonicalName(name)}${PART}${bytesOf(about)}${PART}${name}`
}

/** A term as it occurs in {@link wordsOf}. */
export function termBytes(term: string): string {
  return bytesOf(canonicalName(term))
}

/** Where the name begins in the words of an entry, and where it ends. */
export function nameIn(text: string, start: number): readonly [from: number, to: number] {
  return [start + ENTRY.length, text.indexOf(PART, start)]
}

/** The name as its crate spells it. */
export function spellingIn(words: string): string {
  return words.slice(words.lastIndexOf(PART) + PART.length)
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
