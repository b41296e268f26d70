import { type ApiContext, parseInclude, renderCrateAnswer } from '../protocol/crate-api.ts'
import { type CrateView, type VersionView, versionOf } from '../protocol/crate-view.ts'
import { unknownVersion } from '../protocol/decide.ts'
import { validateName } from '../protocol/name.ts'
import { renderOwners, renderOwnerTeams, renderOwnerUsers } from '../protocol/owner-api.ts'
import { validateVersion } from '../protocol/version.ts'
import { renderDependencies, renderVersion } from '../protocol/version-api.ts'
import { parseVersionsQuery, renderVersionsPage } from '../protocol/versions-page.ts'
import type { Registry } from '../registry/registry.ts'
import type { RouteContext } from './handlers.ts'
import { sendJson } from './json-answer.ts'

/** crates.io's read API about one crate. */
export function createReadHandlers(registry: Registry) {
  const nameOf = (ctx: RouteContext) => validateName(ctx.params['crate'] ?? '')
  const crateOf = (ctx: RouteContext) => registry.crate(ctx.state.caller, nameOf(ctx))
  const ownersOf = (ctx: RouteContext) => registry.owners(ctx.state.caller, nameOf(ctx))

  async function versionOfCrate(ctx: RouteContext): Promise<readonly [CrateView, VersionView]> {
    const number = validateVersion(ctx.params['version'] ?? '')
    const view = await crateOf(ctx)
    const version = versionOf(view, number)
    if (version === undefined) throw unknownVersion(view.name, number)
    return [view, version]
  }

  return {
    async crate(ctx: RouteContext) {
      const parts = parseInclude(queryOf(ctx).get('include') ?? undefined)
      const view = await crateOf(ctx)
      sendJson(ctx, renderCrateAnswer(view, parts, contextOf(ctx)))
    },

    async versions(ctx: RouteContext) {
      const query = parseVersionsQuery(queryOf(ctx))
      const view = await crateOf(ctx)
      sendJson(ctx, renderVersionsPage(view, query, contextOf(ctx)))
    },

    async version(ctx: RouteContext) {
      const [view, version] = await versionOfCrate(ctx)
      sendJson(ctx, { version: renderVersion(view, version, contextOf(ctx)) })
    },

    async dependencies(ctx: RouteContext) {
      const [view, version] = await versionOfCrate(ctx)
      sendJson(ctx, renderDependencies(view, version))
    },

    /** crates.io has known no authors for years; old clients ask all the same. */
    async authors(ctx: RouteContext) {
      await versionOfCrate(ctx)
      sendJson(ctx, { meta: { names: [] }, users: [] })
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

/** Paths, not URLs: crates.io's clients put the address in front that they know it by. */
function contextOf(ctx: RouteContext): ApiContext {
  const { pathname } = new URL(ctx.state.caller.via)
  return {
    base: pathname.replace(/\/+$/, ''),
    downloads: { total: 0, recent: 0, versions: new Map() },
  }
}

function queryOf(ctx: RouteContext): URLSearchParams {
  return new URLSearchParams(ctx.querystring)
}
