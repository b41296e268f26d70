import Koa from 'koa'
import { register } from 'prom-client'
import type { CargoEvent, Host, Logger } from '../host.ts'
import { redisCache } from '../hosts/redis-cache.ts'
import type {
  VerdaccioApp,
  VerdaccioAuth,
  VerdaccioConfig,
  VerdaccioRequest,
  VerdaccioStorage,
} from '../hosts/verdaccio/api.ts'
import { verdaccioAuth } from '../hosts/verdaccio/auth.ts'
import { addLayer } from '../hosts/verdaccio/layer.ts'
import { type PublicUrlOptions, verdaccioPath, verdaccioUrl } from '../hosts/verdaccio/public-url.ts'
import { cargo } from '../plugin.ts'
import { parseBlock } from './block.ts'
import { hostStorage } from './storage.ts'
import { linkFromWeb, serveLink } from './web-link.ts'

/** The key of the plugin's block in `middlewares`. */
const KEY = 'cargo'
/** What Verdaccio gives its plugins. */
export interface PluginContext {
  readonly config: VerdaccioConfig
  readonly logger: Logger & { child?(bindings: object): Logger }
}

/** The plugin as Verdaccio loads it: `middlewares: cargo: { enabled: true }`. */
export default class VerdaccioCargo {
  readonly #context: PluginContext

  // Version 6 merges its own configuration into the first argument, its secret too: the block is read elsewhere.
  constructor(_merged: unknown, context: PluginContext) {
    this.#context = context
  }

  /**
   * Adds the registry to the host.
   * @throws {OptionsError} naming the key, which stops the start
   */
  register_middlewares(app: VerdaccioApp, auth: VerdaccioAuth, storage: VerdaccioStorage): void {
    const { config, logger } = this.#context
    const block = parseBlock(config.middlewares?.[KEY] ?? {}, config.packages, process.env)
    if (!block.enabled) return
    const log = logger.child?.({ plugin: 'verdaccio-cargo' }) ?? logger
    const { mount, web, redis, rules } = block
    const address = addressOf(config, process.env)
    const store = hostStorage(config, storage, { environment: process.env, logger: log })
    const cache = redis === undefined ? undefined : redisCache(redis)
    const host: Host = {
      auth: verdaccioAuth({ auth, storage, rules, mount }),
      storage: store,
      metrics: register,
      logger: log,
      publicUrl: verdaccioUrl(address),
      emit: (audit: CargoEvent) => log.info({ audit }, `cargo: ${audit.kind} of ${audit.crate}`),
      ...(cache && { cache }),
    }
    const plugin = cargo(host, block.options)
    if (web) linkFromWeb(config, verdaccioPath(address) + mount)
    const answer = koaCallback(web ? [serveLink(mount), plugin] : [plugin], log)
    const close = closeOnce(async () => {
      await plugin.close()
      await cache?.close()
      await store.close?.()
    }, log)
    addLayer(app, mount, (request, response) => {
      close.with(request)
      return answer(request, response)
    })
  }
}

function addressOf(config: VerdaccioConfig, environment: NodeJS.ProcessEnv): PublicUrlOptions {
  return {
    config,
    publicUrl: environment['VERDACCIO_PUBLIC_URL'],
    protocolHeader: environment['VERDACCIO_FORWARDED_PROTO'],
  }
}

/** The plugin in a Koa of its own; what goes wrong in it goes to the host's log. */
function koaCallback(layers: readonly Koa.Middleware[], log: Logger) {
  const koa = new Koa()
  koa.silent = true
  koa.on('error', (err: unknown) => log.error({ err }, 'cargo: a request failed'))
  koa.use(async (ctx, next) => {
    const { ip } = ctx.req as VerdaccioRequest
    // By the host's `trustProxy`, not by Koa's own settings.
    if (ip !== undefined) ctx.request.ip = ip
    await next()
  })
  for (const layer of layers) koa.use(layer)
  return koa.callback()
}

/**
 * Closes what is open when the host's server does, which is first seen with the first request. The process may end
 * before, or without a word: nothing depends on it.
 */
function closeOnce(close: () => Promise<void>, log: Logger) {
  let isSeen = false
  return {
    with({ socket }: VerdaccioRequest): void {
      if (isSeen) return
      const server: unknown = Reflect.get(socket, 'server')
      if (typeof server !== 'object' || server === null || !('once' in server)) return
      isSeen = true
      const onClose = () =>
        void close().catch((err: unknown) => log.warn({ err }, 'cargo: not everything was closed'))
      ;(server as NodeJS.EventEmitter).once('close', onClose)
    },
  }
}
