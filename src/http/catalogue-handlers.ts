import {
  renderCategoryTag,
  renderCrates,
  renderKeywordTag,
  renderReverseDependencies,
  renderSummary,
} from '../protocol/crates-api.ts'
import { parseCratesQuery, parsePage, parseTagOrder } from '../protocol/crates-query.ts'
import { validateName } from '../protocol/name.ts'
import type { Registry } from '../registry/registry.ts'
import type { RouteContext } from './handlers.ts'
import { sendJson } from './json-answer.ts'
import { queryOf } from './query.ts'
import { siteOf } from './site.ts'

/** crates.io's read API about many crates, with paths as those about one. */
export function createCatalogueHandlers(registry: Registry) {
  return {
    async search(ctx: RouteContext) {
      const query = queryOf(ctx)
      const wanted = parseCratesQuery(query)
      const found = await registry.search(ctx.state.caller, wanted)
      sendJson(ctx, renderCrates(found, wanted, query, siteOf(ctx).path))
    },

    async keywords(ctx: RouteContext) {
      const query = queryOf(ctx)
      const found = await registry.keywords(ctx.state.caller, parseTagOrder(query), parsePage(query))
      sendJson(ctx, { keywords: found.tags.map(renderKeywordTag), meta: { total: found.total } })
    },

    async keyword(ctx: RouteContext) {
      const found = await registry.keyword(ctx.state.caller, ctx.params['keyword'] ?? '')
      sendJson(ctx, { keyword: renderKeywordTag(found) })
    },

    async categories(ctx: RouteContext) {
      const query = queryOf(ctx)
      const found = await registry.categories(ctx.state.caller, parseTagOrder(query), parsePage(query))
      sendJson(ctx, { categories: found.tags.map(renderCategoryTag), meta: { total: found.total } })
    },

    async category(ctx: RouteContext) {
      const found = await registry.category(ctx.state.caller, ctx.params['category'] ?? '')
      sendJson(ctx, {
        category: {
          ...renderCategoryTag(found.category),
          subcategories: found.children.map(renderCategoryTag),
          parent_categories: found.parents.map(renderCategoryTag),
        },
      })
    },

    async categorySlugs(ctx: RouteContext) {
      const slugs = await registry.categorySlugs(ctx.state.caller)
      sendJson(ctx, { category_slugs: slugs.map((slug) => ({ id: slug, slug, description: '' })) })
    },

    async summary(ctx: RouteContext) {
      sendJson(ctx, renderSummary(await registry.summary(ctx.state.caller), siteOf(ctx).path))
    },

    async reverseDependencies(ctx: RouteContext) {
      const name = validateName(ctx.params['crate'] ?? '')
      const page = parsePage(queryOf(ctx))
      const found = await registry.reverseDependencies(ctx.state.caller, name, page)
      sendJson(ctx, renderReverseDependencies(name, found, siteOf(ctx).path))
    },
  }
}

export type CatalogueHandlers = ReturnType<typeof createCatalogueHandlers>
