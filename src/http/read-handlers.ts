import { CargoError } from '../errors.ts'
import { parseInclude, renderCrateAnswer } from '../protocol/crate-api.ts'
import { type CrateView, type VersionView, versionOf } from '../protocol/crate-view.ts'
import { unknownVersion } from '../protocol/decide.ts'
import { parseDay, renderDownloads, renderVersionDownloads } from '../protocol/downloads-api.ts'
import { validateName } from '../protocol/name.ts'
import { renderOwners, renderOwnerTeams, renderOwnerUsers } from '../protocol/owner-api.ts'
import { type Version, validateVersion } from '../protocol/version.ts'
import { renderDependencies, renderVersion } from '../protocol/version-api.ts'
import { parseVersionsQuery, renderVersionsPage } from '../protocol/versions-page.ts'
import type { Registry } from '../registry/registry.ts'
import { sendFresh } from './fresh-answer.ts'
import type { RouteContext } from './handlers.ts'
import { sendJson } from './json-answer.ts'
import { markupOf } from './pages/html.ts'
import { queryOf } from './query.ts'
import type { CrateReadmes } from './readme/crate-readmes.ts'
import { siteOf } from './site.ts'

/** A README is a part of a page that somebody else makes: opened by itself it has no style, and does nothing. */
const FRAGMENT_POLICY =
  "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"

/** crates.io's read API about one crate, with paths: its clients put the address in front that they know us by. */
export function createReadHandlers(registry: Registry, readmes: CrateReadmes) {
  const nameOf = (ctx: RouteContext) => validateName(ctx.params['crate'] ?? '')
  const counted = (ctx: RouteContext) => registry.countedCrate(ctx.state.caller, nameOf(ctx))
  const ownersOf = (ctx: RouteContext) => registry.owners(ctx.state.caller, nameOf(ctx))

  const numberOf = (ctx: RouteContext) => validateVersion(ctx.params['version'] ?? '')

  async function versionOnly(ctx: RouteContext) {
    const number = numberOf(ctx)
    const view = await registry.crate(ctx.state.caller, nameOf(ctx))
    return { view, version: mustHave(view, number) }
  }

  async function countedVersion(ctx: RouteContext) {
    const number = numberOf(ctx)
    const { view, downloads } = await counted(ctx)
    return { view, downloads, version: mustHave(view, number) }
  }

  return {
    async crate(ctx: RouteContext) {
      const parts = parseInclude(queryOf(ctx).get('include') ?? undefined)
      const { view, downloads } = await counted(ctx)
      sendJson(ctx, renderCrateAnswer(view, parts, { base: siteOf(ctx).path, downloads }))
    },

    async versions(ctx: RouteContext) {
      const query = parseVersionsQuery(queryOf(ctx))
      const { view, downloads } = await counted(ctx)
      sendJson(ctx, renderVersionsPage(view, query, { base: siteOf(ctx).path, downloads }))
    },

    async version(ctx: RouteContext) {
      const { view, version, downloads } = await countedVersion(ctx)
      sendJson(ctx, { version: renderVersion(view, version, { base: siteOf(ctx).path, downloads }) })
    },

    async dependencies(ctx: RouteContext) {
      const { view, version } = await versionOnly(ctx)
      sendJson(ctx, renderDependencies(view, version))
    },

    /** crates.io has known no authors for years; old clients ask all the same. */
    async authors(ctx: RouteContext) {
      await versionOnly(ctx)
      sendJson(ctx, { meta: { names: [] }, users: [] })
    },

    /** As HTML; as it was written for those who want plain text; for those who want JSON where it is, as on crates.io. */
    async readme(ctx: RouteContext) {
      const [name, number] = [nameOf(ctx), numberOf(ctx)]
      const readme = await registry.readme(ctx.state.caller, name, number)
      if (readme === undefined) throw new CargoError('not_found', `\`${name}@${number}\` has no README`)
      ctx.vary('Accept')
      ctx.set('X-Content-Type-Options', 'nosniff')
      switch (ctx.accepts('html', 'text', 'json')) {
        case 'json':
          return sendJson(ctx, { url: `${ctx.state.caller.via}/api/v1/crates/${name}/${number}/readme` })
        case 'text':
          return sendFresh(ctx, 'text/plain; charset=utf-8', readme.text)
        default: {
          const { view, version } = await versionOnly(ctx)
          const page = await readmes.of(ctx.state.caller, view, version)
          ctx.set('Content-Security-Policy', FRAGMENT_POLICY)
          return sendFresh(ctx, 'text/html; charset=utf-8', page === undefined ? '' : markupOf(page))
        }
      }
    },

    async crateDownloads(ctx: RouteContext) {
      const { view, downloads } = await counted(ctx)
      sendJson(ctx, renderDownloads(view, downloads))
    },

    async versionDownloads(ctx: RouteContext) {
      const before = queryOf(ctx).get('before_date')
      const lastDay = before === null ? undefined : parseDay(before)
      const { view, version, downloads } = await countedVersion(ctx)
      sendJson(ctx, renderVersionDownloads(view, version, downloads, lastDay))
    },

    async owners(ctx: RouteContext) {
      sendJson(ctx, renderOwners(await ownersOf(ctx)))
    },

    async ownerUsers(ctx: RouteContext) {
      sendJson(ctx, renderOwnerUsers(await ownersOf(ctx)))
    },

    async ownerTeams(ctx: RouteContext) {
      sendJson(ctx, renderOwnerTeams(await ownersOf(ctx)))
    },
  }
}

export type ReadHandlers = ReturnType<typeof createReadHandlers>

function mustHave(view: CrateView, number: Version): VersionView {
  const version = versionOf(view, number)
  if (version === undefined) throw unknownVersion(view.name, number)
  return version
}
