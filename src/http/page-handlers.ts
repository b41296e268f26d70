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
import { cratePage, type ShownReadme } from './pages/crate-page.ts'
import { listPage } from './pages/list-page.ts'
import { sendPage } from './pages/page.ts'
import type { CrateReadmes } from './readme/crate-readmes.ts'
import { siteOf } from './site.ts'

const CRATES_PER_PAGE = 25
/** The README of a crate that is not stored here yet comes with all of it; who looks again later finds it. */
const README_WAIT_MS = 3000

export interface PageDeps {
  readonly registry: Registry
  readonly readmes: CrateReadmes
  readonly now: () => Date
}

/** The pages about crates, for people with a browser. */
export function createPageHandlers({ registry, readmes, now }: PageDeps) {
  const isPublic = registry.config({ principal: undefined, via: '' })['auth-required'] !== true
  /** A page shows at once what changed, and what one person may see is kept for nobody else. */
  const cacheControl = isPublic ? 'no-cache' : 'private, no-cache'

  /** The version that is asked for, which may be none that is served: then it is told why. */
  async function chosen(ctx: RouteContext, crate: CrateView, number: string): Promise<VersionView> {
    const version = validateVersion(number)
    const found = versionOf(crate, version)
    if (found !== undefined) return found
    const { verdict } = await registry.explain(ctx.state.caller, validateName(crate.name), version)
    if (verdict === undefined) throw unknownVersion(crate.name, version)
    throw new CargoError('not_found', `\`${crate.name}@${version}\` is not served: ${verdict.reason}`)
  }

  /** That the README cannot be had is no reason to tell nothing. */
  async function readmeOf(ctx: RouteContext, crate: CrateView, version: VersionView): Promise<ShownReadme> {
    const found = readmes.of(ctx.state.caller, crate, version)
    try {
      const shown = await withinTime(
        found.then((page) => ({ page })),
        README_WAIT_MS,
      )
      return shown ?? { problem: 'the crate is still being fetched, look again in a moment' }
    } catch (error) {
      if (error instanceof CargoError) return { problem: error.message }
      throw error
    }
  }

  return {
    toList(ctx: RouteContext) {
      ctx.redirect(`${siteOf(ctx).path}/-/`)
    },

    async list(ctx: RouteContext) {
      const parameters = new URLSearchParams(ctx.querystring)
      const query = (parameters.get('q') ?? '').trim()
      const page = parsePageNumber(parameters.get('page'))
      const terms = searchTerms(query)
      const found = await registry.search(ctx.state.caller, { terms, perPage: CRATES_PER_PAGE, page })
      ctx.set('Cache-Control', cacheControl)
      sendPage(ctx, listPage({ site: siteOf(ctx), query, page, perPage: CRATES_PER_PAGE, found }))
    },

    async cratePage(ctx: RouteContext) {
      const parameters = new URLSearchParams(ctx.querystring)
      const { caller } = ctx.state
      const [asked, number] = [ctx.params['crate'] ?? '', ctx.params['version'] ?? parameters.get('version')]
      const { view: crate, downloads } = await registry.countedCrate(caller, validateName(asked))
      ctx.set('Cache-Control', cacheControl)
      if (crate.name !== asked) return ctx.redirect(addressOf(ctx, crate, number))
      const version = number === null ? defaultVersion(crate.versions) : await chosen(ctx, crate, number)
      const name = validateName(crate.name)
      const [readme, explanation] = await Promise.all([
        readmeOf(ctx, crate, version),
        registry.explain(caller, name, validateVersion(version.entry.vers)),
      ])
      const page = { site: siteOf(ctx), crate, version, readme, downloads, explanation, today: dayOf(now()) }
      const allVersions = parameters.get('versions') === 'all'
      sendPage(ctx, cratePage({ ...page, isChosen: number !== null, allVersions }))
    },
  }
}

export type PageHandlers = ReturnType<typeof createPageHandlers>

function addressOf(ctx: RouteContext, { name }: CrateView, version: string | null): string {
  const rest = version === null ? '' : `/${encodeURIComponent(version)}`
  return `${siteOf(ctx).path}/-/crates/${name}${rest}${ctx.search}`
}
