import type { Logger } from '../../host.ts'
import type { SearchHit } from '../../protocol/api.ts'
import { canonicalName, isValidName } from '../../protocol/name.ts'
import type { Uplink } from '../../uplinks/uplink.ts'
import type { Catalogue } from '../catalogue.ts'
import type { KeptCrates } from '../lists/visible-crates.ts'
import type { PackageRules } from '../package-rules.ts'
import {
  pageOfCrates,
  type UpstreamHits,
  type UpstreamQuery,
  type UpstreamScope,
  type UpstreamSearch,
} from '../search.ts'

/** What crates.io takes. */
const MAX_PER_PAGE = 100
const NOT_OF_NAMES = /[^A-Za-z0-9_-]+/

export interface UpstreamSearchDeps {
  readonly uplinks: Iterable<Uplink>
  readonly rules: PackageRules
  /** The crates that are kept, for when an uplink is away or has no search. */
  readonly kept: Catalogue
  readonly logger: Logger
  isLocal(name: string): Promise<boolean>
  isDenied(name: string, version: string): boolean
}

export function createUpstreamSearch(deps: UpstreamSearchDeps): UpstreamSearch {
  const { rules, logger } = deps
  const uplinks = [...deps.uplinks]
  const isProxied = (name: string, of: readonly Uplink[]) =>
    of.some((uplink) => rules.ruleFor(name)?.rule.proxy?.includes(uplink.name))

  /**
   * Names that never leave the house do not leave it as terms of a search either, whatever is around them. What is
   * wanted by more than terms is looked for in what is kept.
   */
  async function mayAsk(uplink: Uplink, { terms, ...more }: UpstreamQuery): Promise<boolean> {
    const isFiltered = (more.letter ?? more.keyword ?? more.category ?? more.ids) !== undefined
    if (!uplink.state().asked || terms.length === 0 || isFiltered) return false
    for (const name of terms.flatMap((term) => term.split(NOT_OF_NAMES)).filter(isValidName)) {
      if (!isProxied(name, [uplink]) || (await deps.isLocal(name))) return false
    }
    return true
  }

  /** A part of what an uplink finds; `undefined` when it cannot or must not be asked. */
  async function ask(uplink: Uplink, query: UpstreamQuery): Promise<UpstreamHits | undefined> {
    const { terms, sort, offset, count } = query
    try {
      if (!(await mayAsk(uplink, query))) return undefined
      const wanted = { q: terms.join(' '), ...(sort !== undefined && { sort }) }
      const perPage = Math.min(MAX_PER_PAGE, Math.max(1, count))
      const page = Math.floor(offset / perPage) + 1
      const skipped = offset % perPage
      const first = await uplink.search({ ...wanted, perPage, page })
      if (first === undefined) return undefined
      const isMore = skipped > 0 && first.crates.length === perPage
      const second = isMore ? await uplink.search({ ...wanted, perPage, page: page + 1 }) : undefined
      const hits = [...first.crates, ...(second?.crates ?? [])].slice(skipped, skipped + count)
      return { hits: hits.filter(({ name }) => isProxied(name, [uplink])), total: first.meta.total }
    } catch (error) {
      logger.warn({ err: error, uplink: uplink.name }, 'uplink was not searched')
      return undefined
    }
  }

  async function keptOf(some: readonly Uplink[]): Promise<KeptCrates> {
    const names = new Set(some.map(({ name }) => name))
    return {
      table: await deps.kept.read(),
      isOffered: ({ proxy = [] }) => proxy.some((name) => names.has(name)),
      isDoubtful: ({ deny = [] }) => deny.length > 0,
      isDenied: deps.isDenied,
      key: [...names].join(),
    }
  }

  /** What is kept of the crates of uplinks that cannot be asked. */
  async function searchKept(
    silent: readonly Uplink[],
    { offset, count, ...query }: UpstreamQuery,
    { sight, caller, local, downloads, pause }: UpstreamScope,
  ): Promise<UpstreamHits> {
    if (silent.length === 0) return { hits: [], total: 0 }
    const kept = await keptOf(silent)
    await sight.learn(kept.table, pause)
    const crates = sight.kept(caller, kept, local)
    return pageOfCrates(crates, query, downloads, [offset, offset + count], pause)
  }

  /** A pre-release that the rules deny is not told as what the crate has. */
  function withoutDenied(hit: SearchHit): SearchHit {
    const { name, max_version, default_version = max_version } = hit
    return deps.isDenied(name, max_version) ? { ...hit, max_version: default_version } : hit
  }

  return {
    kept: () => keptOf(uplinks),
    async find({ offset, count, ...wanted }, scope) {
      // The catalogue may not know yet that somebody has published the name.
      const isShown = async ({ name, max_version, default_version: shown = max_version }: SearchHit) =>
        !deps.isDenied(name, shown) && !(await deps.isLocal(name)) && (await scope.mayRead(name))
      const silent: Uplink[] = []
      let hits: readonly SearchHit[] = []
      let [before, taken] = [0, 0]
      // One after the other: where the next one's part begins, only the total of the one before tells.
      const rest = () => ({
        ...wanted,
        offset: Math.max(0, offset - before),
        count: Math.max(0, count - taken),
      })
      for (const uplink of uplinks) {
        const query = rest()
        const found = await ask(uplink, query)
        if (found === undefined) silent.push(uplink)
        else {
          hits = [...hits, ...found.hits]
          taken += Math.min(query.count, Math.max(0, found.total - query.offset))
          before += found.total
        }
      }
      const more = await searchKept(silent, rest(), scope)
      const shown = await filter([...hits, ...more.hits], isShown)
      return { hits: unique(shown).map(withoutDenied), total: before + more.total }
    },
  }
}

function unique(hits: readonly SearchHit[]): readonly SearchHit[] {
  return [...new Map(hits.toReversed().map((hit) => [canonicalName(hit.name), hit])).values()].toReversed()
}

async function filter<T>(items: readonly T[], test: (item: T) => Promise<boolean>): Promise<readonly T[]> {
  const results = await Promise.all(items.map(test))
  return items.filter((_, position) => results[position])
}
