import { CargoError } from '../../errors.ts'
import type { CratesQuery, Page, TagOrder } from '../../protocol/crates-query.ts'
import { pageOf } from '../../protocol/crates-query.ts'
import type { CrateName } from '../../protocol/name.ts'
import { quote } from '../../protocol/text.ts'
import type { Access, Caller } from '../access.ts'
import type { Catalogue } from '../catalogue.ts'
import type { CrateViews, KnownCrates } from '../crate-view.ts'
import type { DownloadCounts, DownloadTotals } from '../download-counts.ts'
import { createTurns } from '../in-turns.ts'
import type { PackageRules } from '../package-rules.ts'
import { type FoundCrates, searchCrates, type UpstreamSearch } from '../search.ts'
import { type Dependents, findDependents } from './reverse-dependencies.ts'
import { isTopLevel, mostUsed, type Summary, summarizeCrates } from './summary.ts'
import { createTagCounts, type TagCount } from './tag-counts.ts'
import { createCrateSight, type VisibleCrates } from './visible-crates.ts'

/** Keywords or categories, of which there may be more than are shown. */
export interface TagPage {
  readonly tags: readonly TagCount[]
  readonly total: number
}

/** A category and those directly around it. */
export interface CategoryCounts {
  readonly category: TagCount
  readonly parents: readonly TagCount[]
  readonly children: readonly TagCount[]
}

/**
 * What is asked about many crates: those of this registry, and those that are kept of uplinks. Every answer, with all
 * its numbers, is as if there were only crates that the caller may read.
 */
export interface CrateLists {
  search(caller: Caller, query: CratesQuery): Promise<FoundCrates>
  keywords(caller: Caller, order: TagOrder, page: Page): Promise<TagPage>
  /** @throws {CargoError} `not_found` when no crate has it */
  keyword(caller: Caller, keyword: string): Promise<TagCount>
  /** Those that are in no other one. */
  categories(caller: Caller, order: TagOrder, page: Page): Promise<TagPage>
  /** @throws {CargoError} `not_found` when no crate is in it */
  category(caller: Caller, slug: string): Promise<CategoryCounts>
  /** The slugs of all categories, in order. */
  categorySlugs(caller: Caller): Promise<readonly string[]>
  summary(caller: Caller): Promise<SummaryWithDownloads>
  /** @throws {CargoError} as {@link CrateViews.crate} */
  reverseDependencies(caller: Caller, name: CrateName, page: Page): Promise<Dependents>
}

/** A summary, and how often each crate was downloaded. */
export type SummaryWithDownloads = Summary & { readonly counts: DownloadTotals['crates'] }

export interface CrateListsDeps {
  readonly catalogue: Catalogue
  readonly access: Access
  readonly rules: PackageRules
  readonly upstream: UpstreamSearch
  readonly views: CrateViews & KnownCrates
  readonly counts: Pick<DownloadCounts, 'of' | 'totals'>
  readonly monotonic: () => number
}

export function createCrateLists(deps: CrateListsDeps): CrateLists {
  const { catalogue, access, upstream, views, counts, monotonic } = deps
  const sight = createCrateSight(access, deps.rules)
  const countTags = createTagCounts()
  const totals = () => counts.totals()

  /** Local ones first. */
  async function visibleTo(caller: Caller): Promise<readonly VisibleCrates[]> {
    const local = await catalogue.read()
    return [sight.local(caller, local), sight.kept(caller, await upstream.kept(), local)]
  }

  const count = async (kind: 'keyword' | 'category', caller: Caller) =>
    countTags(kind, await visibleTo(caller), createTurns(monotonic))

  return {
    async search(caller, query) {
      const [local, pause] = [await catalogue.read(), createTurns(monotonic)]
      await sight.learn(local, pause)
      const mayRead = async (who: Caller, crate: string) => access.may(who, 'read', crate)
      return searchCrates({ local, sight, mayRead, pause, upstream, downloads: totals }, caller, query)
    },

    async keywords(caller, order, page) {
      return tagPage(await count('keyword', caller), order, page)
    },

    async keyword(caller, keyword) {
      return found(await count('keyword', caller), 'keyword', keyword)
    },

    async categories(caller, order, page) {
      return tagPage((await count('category', caller)).filter(isTopLevel), order, page)
    },

    async category(caller, slug) {
      const all = byName(await count('category', caller))
      const category = found(all, 'category', slug)
      return {
        category,
        parents: all.filter(({ value }) => category.value.startsWith(`${value}::`)),
        children: all.filter(({ value }) => parentOf(value) === category.value),
      }
    },

    async categorySlugs(caller) {
      return byName(await count('category', caller)).map(({ value }) => value)
    },

    async summary(caller) {
      const { crates } = await totals()
      const summary = summarizeCrates(await visibleTo(caller), crates, countTags, createTurns(monotonic))
      return { ...(await summary), counts: crates }
    },

    async reverseDependencies(caller, name, page) {
      const view = await views.crate(caller, name)
      const downloads = (await totals()).crates
      const dependentsDeps = { knownCrate: views.knownCrate, downloads, counts }
      const all = await visibleTo(caller)
      return findDependents(all, view.name, page, dependentsDeps, createTurns(monotonic))
    },
  }
}

function tagPage(counts: readonly TagCount[], order: TagOrder, page: Page): TagPage {
  const inOrder = order === 'crates' ? mostUsed(counts) : byName(counts)
  return { tags: pageOf(inOrder, page), total: counts.length }
}

function byName(counts: readonly TagCount[]): readonly TagCount[] {
  return counts.toSorted((a, b) => (a.value < b.value ? -1 : 1))
}

function found(counts: readonly TagCount[], kind: string, value: string): TagCount {
  const one = counts.find((count) => count.value === value.toLowerCase())
  if (one !== undefined) return one
  throw new CargoError('not_found', `${kind} ${quote(value)} does not exist`)
}

function parentOf(slug: string): string {
  return slug.slice(0, Math.max(0, slug.lastIndexOf('::')))
}
