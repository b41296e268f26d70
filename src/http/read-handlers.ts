import { type ApiContext, parseInclude, renderCrateAnswer } from '../protocol/crate-api.ts'
import { validateName } from '../protocol/name.ts'
import { parseVersionsQuery, renderVersionsPage } from '../protocol/versions-page.ts'
import type { Registry } from '../registry/registry.ts'
import type { RouteContext } from './handlers.ts'
import { sendJson } from './json-answer.ts'

/** crates.io's read API about one crate. */
export function createReadHandlers(registry: Registry) {
  const crateOf = (ctx: RouteContext) =>
    registry.crate(ctx.state.caller, validateName(ctx.params['crate'] ?? ''))

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
