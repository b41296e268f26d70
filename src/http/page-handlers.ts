import { CargoError } from '../errors.ts'
import { searchTerms } from '../protocol/api.ts'
import { type CrateView, defaultVersion, type VersionView, versionOf } from '../protocol/crate-view.ts'
import { parsePageNumber } from '../protocol/crates-query.ts'
import { dayOf } from '../protocol/day.ts'
import { unknownVersion } from '../protocol/decide.ts'
import { validateName } from '../protocol/name.ts'
import { validateVersion } from '../protocol/version.ts'
import type { Registry } from '../registry/registry.ts'
import { withinTime } from '../registry/within-time.ts'
import type { RouteContext } from './handlers.ts'
import { type Besides, cratePage } from './pages/crate-page.ts'
import { listPage } from './pages/list-page.ts'
import { sendPage } from './pages/page.ts'
import { queryOf } from './query.ts'
import type { CrateReadmes } from './readme/crate-readmes.ts'
import { siteOf } from './site.ts'

const CRATES_PER_PAGE = 25
/** The README of a crate that is not stored here yet comes with all of it; who looks again later finds it. */
const BESIDES_WAIT_MS = 3000

export interface PageDeps {
  readonly registry: Registry
  readonly readmes: CrateReadmes
  readonly now: () => Date
}

/** The pages about crates, for people with a browser. */
export function createPageHandlers({ registry, readmes, now }: PageDeps) {
  const isPublic = registry.config({ principal: undefined, via: '' })['auth-required'] !== true

  /** The version that is asked for, which may be none that is served: then it is told why. */
  async function chosen(ctx: RouteContext, crate: CrateView, number: string): Promise<VersionView> {
    const version = validateVersion(number)
    const found = versionOf(crate, version)
    if (found !== undefined) return found
    const { verdict } = await registry.explain(ctx.state.caller, validateName(crate.name), version)
    if (verdict === undefined) throw unknownVersion(crate.name, version)
    throw new CargoError('not_found', `\`${crate.name}@${version}\` is not served: ${verdict.reason}`)
  }

  /** A page shows at once what changed, and what one person may see is kept for nobody else. */
  function send(ctx: RouteContext, page: string): void {
    const isForAll = isPublic && ctx.state.caller.principal === undefined
    ctx.set('Cache-Control', isForAll ? 'no-cache' : 'private, no-cache')
    // Also where reads need no login a page says who is signed in.
    ctx.vary('Authorization')
    sendPage(ctx, page)
  }

  return {
    toList(ctx: RouteContext) {
      ctx.redirect(`${siteOf(ctx).path}/-/`)
    },

    async list(ctx: RouteContext) {
      const parameters = queryOf(ctx)
      const query = (parameters.get('q') ?? '').trim()
      const page = parsePageNumber(parameters.get('page'))
      const terms = searchTerms(query)
      const found = await registry.search(ctx.state.caller, { terms, perPage: CRATES_PER_PAGE, page })
      send(ctx, listPage({ site: siteOf(ctx), query, page, perPage: CRATES_PER_PAGE, found }))
    },

    async cratePage(ctx: RouteContext) {
      const parameters = queryOf(ctx)
      const { caller } = ctx.state
      const [asked, number] = [ctx.params['crate'] ?? '', ctx.params['version'] ?? parameters.get('version')]
      const { view: crate, downloads } = await registry.countedCrate(caller, validateName(asked))
      if (crate.name !== asked) return ctx.redirect(addressOf(ctx, crate, number))
      const version = number === null ? defaultVersion(crate.versions) : await chosen(ctx, crate, number)
      const name = validateName(crate.name)
      const [readme, owners, explanation] = await Promise.all([
        besides(readmes.of(caller, crate, version)),
        besides(registry.owners(caller, name)),
        registry.explain(caller, name, validateVersion(version.entry.vers)),
      ])
      const how = {
        isChosen: number !== null,
        allVersions: parameters.get('versions') === 'all',
        today: dayOf(now()),
      }
      const page = { site: siteOf(ctx), crate, version, readme, owners, downloads, explanation, ...how }
      send(ctx, cratePage(page))
    },
  }
}

export type PageHandlers = ReturnType<typeof createPageHandlers>

function addressOf(ctx: RouteContext, { name }: CrateView, version: string | null): string {
  const rest = version === null ? '' : `/${encodeURIComponent(version)}`
  return `${siteOf(ctx).path}/-/crates/${name}${rest}${ctx.search}`
}

/** That something cannot be had, or not soon, is no reason to tell nothing. */
async function besides<T>(found: Promise<T>): Promise<Besides<T>> {
  try {
    const inTime = withinTime(
      found.then((value) => ({ value })),
      BESIDES_WAIT_MS,
    )
    return (await inTime) ?? { problem: 'it is still being fetched, look again in a moment' }
  } catch (error) {
    if (error instanceof CargoError) return { problem: error.message }
    throw error
  }
}
