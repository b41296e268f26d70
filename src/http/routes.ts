import Router from '@koa/router'
import { CargoError } from '../errors.ts'
import type { RateLimits } from '../registry/rate-limits.ts'
import type { AuditHandlers } from './audit-handlers.ts'
import type { CatalogueHandlers } from './catalogue-handlers.ts'
import type { CargoContext, CargoState } from './context.ts'
import type { Handlers, RouteContext } from './handlers.ts'
import { createJsonReader } from './json-body.ts'
import type { MeHandlers } from './me-handlers.ts'
import type { PageHandlers } from './page-handlers.ts'
import type { ReadHandlers } from './read-handlers.ts'

const PUBLISH = '/api/v1/crates/new'
const OWN_TOKENS = '/api/v1/me/tokens'

/** What is served: a method, and a pattern of paths relative to the mount, as path-to-regexp writes them. */
export interface ServedRoute {
  readonly method: string
  readonly path: string
}

type AllHandlers = Handlers & AuditHandlers & MeHandlers & PageHandlers & ReadHandlers & CatalogueHandlers
type Handler = (ctx: RouteContext) => unknown
type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'
type Route = readonly [Method, string, Handler]

export interface RouterDeps {
  readonly limits: Pick<RateLimits, 'take'>
  /** In which a JSON body has to come, in milliseconds. */
  readonly bodyTimeout: number
}

/** Every route, relative to the mount. */
function routeTable(handlers: AllHandlers): readonly Route[] {
  const crate = '/api/v1/crates/:crate'
  return [
    ['GET', '/config.json', handlers.config],
    ['GET', '/index/config.json', handlers.config],
    ['PUT', PUBLISH, handlers.publish],
    ['GET', '/api/v1/crates', handlers.search],
    ['GET', `${crate}/:version/download`, handlers.download],
    ['GET', `${crate}/explain`, handlers.explain],
    ['GET', `${crate}/:version/explain`, handlers.explain],
    ['DELETE', `${crate}/:version/yank`, handlers.yank],
    ['PUT', `${crate}/:version/unyank`, handlers.unyank],
    ['GET', `${crate}/owners`, handlers.owners],
    ['PUT', `${crate}/owners`, handlers.addOwners],
    ['DELETE', `${crate}/owners`, handlers.removeOwners],
    ['GET', crate, handlers.crate],
    ['DELETE', crate, handlers.removeCrate],
    ['GET', `${crate}/versions`, handlers.versions],
    ['GET', `${crate}/downloads`, handlers.crateDownloads],
    ['GET', `${crate}/:version/downloads`, handlers.versionDownloads],
    ['GET', `${crate}/reverse_dependencies`, handlers.reverseDependencies],
    ['GET', `${crate}/owner_user`, handlers.ownerUsers],
    ['GET', `${crate}/owner_team`, handlers.ownerTeams],
    ['GET', `${crate}/:version/dependencies`, handlers.dependencies],
    ['GET', `${crate}/:version/readme`, handlers.readme],
    ['GET', `${crate}/:version/authors`, handlers.authors],
    // Behind `owners` and the others, which look like a version.
    ['GET', `${crate}/:version`, handlers.version],
    ['DELETE', `${crate}/:version`, handlers.removeVersion],
    ['GET', '/api/v1/keywords', handlers.keywords],
    ['GET', '/api/v1/keywords/:keyword', handlers.keyword],
    ['GET', '/api/v1/categories', handlers.categories],
    ['GET', '/api/v1/categories/:category', handlers.category],
    ['GET', '/api/v1/category_slugs', handlers.categorySlugs],
    ['GET', '/api/v1/summary', handlers.summary],
    ['GET', '/me', handlers.me],
    ['GET', '/me/tokens', handlers.tokenPage],
    ['POST', '/me/tokens', handlers.makeToken],
    ['POST', '/me/tokens/:id/revoke', handlers.endToken],
    ['GET', OWN_TOKENS, handlers.listTokens],
    ['PUT', OWN_TOKENS, handlers.createToken],
    ['POST', OWN_TOKENS, handlers.createToken],
    ['DELETE', `${OWN_TOKENS}/:id`, handlers.revokeToken],
    ['DELETE', '/api/v1/tokens/current', handlers.revokeUsedToken],
    ['GET', '/-', handlers.toList],
    ['GET', '/-/', handlers.list],
    ['GET', '/-/crates', handlers.toList],
    ['GET', '/-/crates/:crate', handlers.cratePage],
    ['GET', '/-/crates/:crate/:version', handlers.cratePage],
    ['GET', '/-/audit', handlers.audit],
    // The mount, with a slash or without.
    ['GET', '{/}', handlers.home],
    // libgit2 puts a slash of its own behind the one that the URL ends in.
    ...['/info/refs', '//info/refs'].map((path): Route => ['GET', path, handlers.gitIndex]),
    ['GET', '/index/info/refs', handlers.gitIndex],
    ...['', '/index'].flatMap((root): Route[] => [
      // One and two letters have one folder, longer names two.
      ['GET', `${root}/:first/:name`, handlers.index],
      ['GET', `${root}/:first/:second/:name`, handlers.index],
    ]),
  ]
}

/** The router of everything under `mount`; what it does not know is a 404 or 405 in cargo's error form. */
export function createRouter(mount: string, handlers: AllHandlers, { limits, bodyTimeout }: RouterDeps) {
  const router = new Router<CargoState>({ prefix: mount, strict: true, sensitive: true })
  const readJson = createJsonReader(bodyTimeout)
  const table = routeTable(handlers)
  for (const [method, path, handler] of table) {
    const isJson = (path.endsWith('/owners') || path === OWN_TOKENS) && method !== 'GET'
    router.register(path, method === 'GET' ? ['HEAD', 'GET'] : [method], async (ctx: CargoContext) => {
      ctx.state.route = path
      // Before the body: what is too much is not even read.
      if (method !== 'GET') limits.take(path === PUBLISH ? 'publish' : 'yank', ctx.state.caller)
      if (isJson) await readJson(ctx)
      await handler(ctx as RouteContext)
    })
  }
  const routes = router.routes()
  async function route(ctx: CargoContext): Promise<void> {
    await routes(ctx as never, async () => {
      throw unknownRoute(router, ctx)
    })
  }
  return Object.assign(route, { served: table.map(([method, path]): ServedRoute => ({ method, path })) })
}

function unknownRoute(router: Router<CargoState>, ctx: CargoContext): CargoError {
  const allowed = new Set(router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods))
  if (allowed.size === 0) return new CargoError('not_found', `there is nothing at \`${ctx.path}\``)
  const allow = [...allowed].sort().join(', ')
  return new CargoError('method_not_allowed', `\`${ctx.method}\` is not allowed here, only ${allow}`, {
    headers: { Allow: allow },
  })
}
