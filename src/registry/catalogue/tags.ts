import { canonicalName } from '../../protocol/name.ts'
import type { CatalogueEntry } from './entry.ts'

/** What an entry is found by as a whole, and never by a part of it. */
export type TagKind = 'keyword' | 'category' | 'dependency'

/** Before and behind each tag of its kind. */
const MARKS: Readonly<Record<TagKind, string>> = { keyword: '\x1c', category: '\x1d', dependency: '\x1e' }
const NOT_IN_TAGS = /\p{Cc}/gu
/** Between the parts of a category's slug. */
const BELOW = '::'

/** The tags of an entry, in one line of text. */
export function tagsOf({ keywords, categories = [], deps = [] }: CatalogueEntry): string {
  return [
    ...keywords.map((keyword) => tag('keyword', keyword)),
    ...categories.map((slug) => tag('category', slug)),
    ...deps.map((name) => tag('dependency', canonicalName(name))),
  ].join('')
}

/** What the tags of every entry with this keyword, or on this crate dependent, contain. */
export function tag(kind: TagKind, value: string): string {
  const mark = MARKS[kind]
  return mark + value.toLowerCase().replace(NOT_IN_TAGS, ' ') + mark
}

/** What the tags of entries in this category or one below it contain: one of both. */
export function categoryTags(slug: string): readonly string[] {
  const exact = tag('category', slug)
  return [exact, exact.slice(0, -1) + BELOW]
}

/** The values of one kind in the tags of an entry. */
export function valuesIn(tags: string, kind: TagKind): readonly string[] {
  const mark = MARKS[kind]
  const [first, last] = [tags.indexOf(mark), tags.lastIndexOf(mark)]
  return first < last ? tags.slice(first + 1, last).split(mark + mark) : []
}

/** The category itself, and those that it is in. */
export function withParents(slug: string): readonly string[] {
  const parts = slug.split(BELOW)
  return parts.map((_, depth) => parts.slice(0, depth + 1).join(BELOW))
}
