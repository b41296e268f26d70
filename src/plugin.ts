import { performance } from 'node:perf_hooks'
import Keyv from 'keyv'
import type { Context, Next } from 'koa'
import compose from 'koa-compose'
import { LRUCache } from 'lru-cache'
import type { CargoEvent, Host, Logger, MetadataCache } from './host.ts'
import { createAuditHandlers } from './http/audit-handlers.ts'
import { createBaseUrl, createCallerFinder, createCallers } from './http/caller.ts'
import { createCatalogueHandlers } from './http/catalogue-handlers.ts'
import type { CargoContext } from './http/context.ts'
import { createCors } from './http/cors.ts'
import { createErrorHandler } from './http/errors.ts'
import { createFastPath, type FastPath } from './http/fast/fast-path.ts'
import { createHandlers } from './http/handlers.ts'
import { createIndexForms } from './http/index-forms.ts'
import { createMeHandlers } from './http/me-handlers.ts'
import { createMetrics, noMetrics } from './http/metrics.ts'
import { refuseSecondHost } from './http/one-host.ts'
import { createErrorAnswer } from './http/page-errors.ts'
import { createPageHandlers } from './http/page-handlers.ts'
import { createReadHandlers } from './http/read-handlers.ts'
import { createCrateReadmes } from './http/readme/crate-readmes.ts'
import { createReadmeRenderer } from './http/readme/renderer.ts'
import { createRouter, type ServedRoute } from './http/routes.ts'
import { refuseTokenInUrl } from './http/token-in-url.ts'
import { createUpgradeCheck } from './http/upgrade-listeners.ts'
import { answerRefusedUpload } from './http/upload.ts'
import { type OptionsInput, parseOptions, readsNeedLogin } from './options.ts'
import { boundedCache } from './registry/bounded-cache.ts'
import { createCacheWatch } from './registry/cache-watch.ts'
import { createFormSeal } from './registry/form-seal.ts'
import { createOwnTokens } from './registry/own-tokens.ts'
import { createRateLimits } from './registry/rate-limits.ts'
import { createRegistry } from './registry/registry.ts'
import { reliableStorage } from './registry/reliable-storage.ts'
import { createWebhooks } from './webhooks/webhooks.ts'

/** Records kept in process when the host has no cache of its own; the registry keeps the hottest ones anyway. */
const IN_PROCESS_ENTRIES = 1000

/** The middleware: `app.use(cargo(host, options))`. Requests outside the mount go on to the next one. */
export interface CargoPlugin {
  (ctx: Context, next: Next): Promise<void>
  readonly mount: string
  /** Everything that is served below the mount; GET answers HEAD too. */
  readonly routes: readonly ServedRoute[]
  /**
   * Answers what is in memory before there is a context of Koa, for hosts with nothing of their own to say to such a
   * request; what it leaves is the middleware's. Absent with `fast_path: false`.
   */
  readonly atOnce?: FastPath
  /** Finishes what runs behind the answers; call it after the last request. */
  close(): Promise<void>
}

/**
 * A cargo registry for a Koa host. Nothing is read or opened before the first request, but for what `webhooks` have
 * still to tell.
 * @throws {OptionsError} naming every wrong key
 */
export function cargo(host: Host, options?: OptionsInput): CargoPlugin {
  const checked = parseOptions(options)
  const { mount, client_body_timeout: bodyTimeout } = checked
  const logger = host.logger ?? silent
  const metrics = host.metrics ? createMetrics(host.metrics) : noMetrics
  const now = () => new Date()
  const monotonic = () => performance.now()
  const webhooks = createWebhooks({
    webhooks: checked.webhooks,
    storage: reliableStorage(host.storage),
    onOutcome: metrics.webhookDelivery,
    ...{ logger, now },
  })
  const emit = (event: CargoEvent) => {
    webhooks.note(event)
    host.emit?.(event)
  }
  const registry = createRegistry({
    host: {
      auth: host.auth,
      storage: host.storage,
      emit,
      cache: boundedCache(host.cache ?? inProcessCache(), { onResult: createCacheWatch(logger) }),
      logger,
    },
    options: checked,
    observer: metrics,
    now,
    monotonic,
  })
  const baseUrl = createBaseUrl(host, mount)
  const me = createMeHandlers({
    tokens: createOwnTokens(host.auth, logger),
    seal: createFormSeal(reliableStorage(host.storage), now),
    now,
    bodyTimeout,
  })
  const renderer = createReadmeRenderer(logger)
  const readmes = createCrateReadmes(registry, renderer)
  const pages = createPageHandlers({ registry, readmes, now })
  const limits = createRateLimits({
    limits: checked.rate_limits,
    monotonic,
    onLimited: metrics.rateLimited,
  })
  const forms = createIndexForms()
  const callers = createCallers({ auth: host.auth, login: limits.login, baseUrl })
  const router = createRouter(
    mount,
    {
      ...createHandlers(registry, forms),
      ...createReadHandlers(registry, readmes),
      ...createAuditHandlers(registry),
      ...createCatalogueHandlers(registry),
      ...pages,
      ...me,
    },
    { limits, bodyTimeout },
  )
  const serve = compose<CargoContext>([
    metrics.measure,
    ...(readsNeedLogin(checked) ? [] : [createCors(mount)]),
    answerRefusedUpload,
    createErrorHandler(logger, createErrorAnswer(mount, host.auth.tokens !== undefined, baseUrl)),
    refuseSecondHost,
    createCallerFinder(callers, checked),
    refuseTokenInUrl,
    router,
  ])

  const checkUpgrade = createUpgradeCheck(logger)
  const atOnce = checked.fast_path
    ? createFastPath({ options: checked, registry, callers, forms, metrics, logger })
    : undefined

  /** Whether the request is answered. */
  async function answerFast(ctx: CargoContext): Promise<boolean> {
    const caller = await atOnce?.({ req: ctx.req, res: ctx.res, address: ctx.ip })
    if (caller === undefined) return false
    ctx.state.caller = caller
    ctx.respond = false
    return true
  }

  async function cargoFormat(context: Context, next: Next): Promise<void> {
    checkUpgrade(context)
    if (context.path !== mount && !context.path.startsWith(`${mount}/`)) return next()
    const ctx = context as unknown as CargoContext
    if (await answerFast(ctx)) return
    await serve(ctx)
    // An event that is stored before the answer outlives a crash right after it.
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') await webhooks.kept()
  }
  async function close(): Promise<void> {
    await renderer.close()
    await registry.close()
    await webhooks.close()
  }
  return Object.assign(cargoFormat, { mount, routes: router.served, close, ...(atOnce && { atOnce }) })
}

function inProcessCache(): MetadataCache {
  const store = new LRUCache<string, string>({
    max: IN_PROCESS_ENTRIES,
    maxSize: 64 * 1024 * 1024,
    sizeCalculation: (value, key) => value.length + key.length + 1,
  })
  return new Keyv({ store: store as never })
}

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
