import type { Logger } from '../../host.ts'
import type { SearchHit } from '../../protocol/api.ts'
import { canonicalName, isValidName } from '../../protocol/name.ts'
import type { Uplink } from '../../uplinks/uplink.ts'
import type { Catalogue } from '../catalogue.ts'
import type { PackageRules } from '../package-rules.ts'
import { hitOf, matching, type UpstreamHits, type UpstreamQuery, type UpstreamSearch } from '../search.ts'

/** What crates.io takes. */
const MAX_PER_PAGE = 100

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
  const { rules, kept, logger } = deps
  const uplinks = [...deps.uplinks]
  const isProxied = (name: string, uplink?: Uplink) => {
    const proxy = rules.ruleFor(name)?.rule.proxy ?? []
    return uplink === undefined ? proxy.length > 0 : proxy.includes(uplink.name)
  }

  /** Names that never leave the house do not leave it as terms of a search either. */
  async function mayAsk(uplink: Uplink, terms: readonly string[]): Promise<boolean> {
    if (terms.length === 0) return false
    for (const term of terms) {
      if (isValidName(term) && (!isProxied(term, uplink) || (await deps.isLocal(term)))) return false
    }
    return true
  }

  async function ask(
    uplink: Uplink,
    { terms, offset, count }: UpstreamQuery,
  ): Promise<UpstreamHits | undefined> {
    if (!uplink.state().asked || !(await mayAsk(uplink, terms))) return undefined
    const perPage = Math.min(MAX_PER_PAGE, Math.max(1, count))
    const page = Math.floor(offset / perPage) + 1
    const first = await uplink.search({ q: terms.join(' '), perPage, page })
    if (first === undefined) return undefined
    const skipped = offset % perPage
    const second =
      skipped > 0 ? await uplink.search({ q: terms.join(' '), perPage, page: page + 1 }) : undefined
    const hits = [...first.crates, ...(second?.crates ?? [])].slice(skipped, skipped + count)
    return { hits: hits.filter(({ name }) => isProxied(name, uplink)), total: first.meta.total }
  }

  async function askOrNothing(uplink: Uplink, query: UpstreamQuery): Promise<UpstreamHits | undefined> {
    try {
      return await ask(uplink, query)
    } catch (error) {
      logger.warn({ err: error, uplink: uplink.name }, 'uplink was not searched')
      return undefined
    }
  }

  return {
    async find(query, mayRead) {
      const isShown = async ({ name, max_version }: SearchHit) =>
        !deps.isDenied(name, max_version) && !(await deps.isLocal(name)) && (await mayRead(name))
      const answers = await Promise.all(uplinks.map((uplink) => askOrNothing(uplink, query)))
      const found = answers.filter((answer) => answer !== undefined)
      if (found.length === uplinks.length) {
        const shown = await filter(unique(found.flatMap(({ hits }) => hits)), isShown)
        return {
          hits: shown.slice(0, query.count),
          total: found.reduce((sum, { total }) => sum + total, 0),
        }
      }
      // One of them is away, or has no search: what is kept is found, of all of them.
      const entries = await matching(await kept.entries(), query.terms, async (name) => isProxied(name))
      const shown = await filter(
        unique([...found.flatMap(({ hits }) => hits), ...entries.map(hitOf)]),
        isShown,
      )
      return { hits: shown.slice(query.offset, query.offset + query.count), total: shown.length }
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
