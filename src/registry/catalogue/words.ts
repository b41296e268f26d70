import { canonicalName } from '../../protocol/name.ts'
import type { CatalogueEntry } from './entry.ts'

/**
 * The words of an entry that searches go through, besides its name: of the description and the keywords, each once and
 * folded as names are. No term of a search has white space in it, so what it occurs in is a word. They are strings of
 * bytes, one character for each byte of UTF-8: half the memory of two-byte characters, and searched twice as fast.
 */
export function wordsOf({ description, keywords }: CatalogueEntry): readonly string[] {
  const words = canonicalName([description, ...keywords].join(' ')).split(/\s+/u)
  return [...new Set(words.filter((word) => word !== '').map(bytesOf))]
}

/** A term as it occurs in names and in {@link wordsOf}. */
export function termBytes(term: string): string {
  return bytesOf(canonicalName(term))
}

const ASCII = /^[ -~]*$/

function bytesOf(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}
