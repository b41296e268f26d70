import { canonicalName } from '../../protocol/name.ts'
import type { CatalogueEntry } from './entry.ts'

/** What an entry is found by as a whole, and never by a part of it. */
export type TagKind = 'keyword' | 'category' | 'dependency'

/** Between the parts of a category's slug. */
const BELOW = '::'

/** All tags of a catalogue, each once and with a number: entries have the numbers of theirs. */
export interface TagNumbers {
  /** The numbers for the tags of an entry; new tags get one. */
  of(entry: CatalogueEntry): readonly number[]
  /** The number of a keyword, or of a crate that others depend on; case does not matter. */
  find(kind: TagKind, value: string): number | undefined
  /** The numbers of a category and of all below it. */
  category(slug: string): readonly number[]
  /** What a number stands for, if that is of this kind. */
  value(kind: TagKind, number: number): string | undefined
}

export function createTagNumbers(): TagNumbers {
  const numbers: Readonly<Record<TagKind, Map<string, number>>> = {
    keyword: new Map(),
    category: new Map(),
    dependency: new Map(),
  }
  const tags: { readonly kind: TagKind; readonly value: string }[] = []

  function numberOf(kind: TagKind, value: string): number {
    const known = numbers[kind].get(value)
    if (known !== undefined) return known
    numbers[kind].set(value, tags.length)
    return tags.push({ kind, value }) - 1
  }

  return {
    of({ keywords, categories = [], deps = [] }) {
      const found: number[] = []
      for (const keyword of keywords) addOnce(found, numberOf('keyword', keyword.toLowerCase()))
      for (const slug of categories) addOnce(found, numberOf('category', slug.toLowerCase()))
      for (const name of deps) found.push(numberOf('dependency', name))
      return found
    },
    find: (kind, value) =>
      numbers[kind].get(kind === 'dependency' ? canonicalName(value) : value.toLowerCase()),
    category(slug) {
      const wanted = slug.toLowerCase()
      const all = [...numbers.category]
      return all.flatMap(([one, number]) =>
        one === wanted || one.startsWith(wanted + BELOW) ? [number] : [],
      )
    },
    value(kind, number) {
      const tag = tags[number]
      return tag?.kind === kind ? tag.value : undefined
    },
  }
}

/** The category itself, and those that it is in. */
export function withParents(slug: string): readonly string[] {
  const parts = slug.split(BELOW)
  return parts.map((_, depth) => parts.slice(0, depth + 1).join(BELOW))
}

function addOnce(list: number[], item: number): void {
  if (!list.includes(item)) list.push(item)
}
