import Koa, { type Context } from 'koa'
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { CargoEvent, Host, Logger, ObjectStore } from '../host.ts'
import type { ClosableCache } from '../hosts/redis-cache.ts'
import type { RedisAddress } from '../hosts/redis-client.ts'
import { cargo } from '../plugin.ts'
import { createClientAddress } from './client-address.ts'
import type { Config } from './config.ts'
import type { Environment } from './environment.ts'
import { continueVisit, createFront } from './front.ts'
import { createHealth, type MetricsSource } from './health.ts'
import { renderListen } from './listen.ts'
import { openListener } from './listener.ts'
import { pluginOptions } from './plugin-options.ts'
import { createErrorLog, createVisitLog, type RequestLog } from './request-log.ts'
import { openStorage } from './storage.ts'
import { readKeyPair } from './tls.ts'
import { openUsers } from './users.ts'

/** Requests that run when a stop is asked for have this many milliseconds to end. */
export const GRACE_MS = 30_000

/** What the server takes from its surroundings. */
export interface ServerContext {
  /** For `token_env` and other names of variables. */
  readonly environment: Environment
  readonly logger: Logger
  /** Default: the logger logs requests as well. */
  readonly logRequest?: RequestLog
  /** `false`: somebody has tried the store out already. */
  readonly selfTest?: boolean
  /** What `/metrics` shows of several processes; default: this one's own. */
  readonly shareMetrics?: (own: Registry) => MetricsSource
}

/** A registry that listens. */
export interface CargoServer {
  /** The registry's URL, mount included, without a final slash. */
  readonly url: string
  /** The port in use. */
  readonly port: number
  readonly storage: ObjectStore
  /** Stops taking requests, finishes the running ones, and closes what is open; the same promise when called again. */
  close(): Promise<void>
}

/**
 * Starts the bundled server: the plugin in a Koa of its own, with health checks, metrics and logs.
 * @throws {ConfigError} naming the setting that cannot be used
 * @throws {OptionsError} for options of the plugin that contradict each other
 */
export async function createServer(config: Config, context: ServerContext): Promise<CargoServer> {
  const { environment, logger, selfTest = true, shareMetrics = (own) => own } = context
  const keyPair = config.tls && (await readKeyPair(config.tls))
  const { store: storage } = await openStorage(config.storage, { environment, selfTest })
  const auth = await openUsers(config.auth, environment, storage, (err) =>
    logger.warn({ err }, 'password file cannot be used: the users that it had before stay'),
  )
  const cache = config.redis === undefined ? undefined : await openRedis(config.redis)
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })

  let origin = config.public_url ?? originOf(config, config.listen.port)
  let stopping: Promise<void> | undefined
  const publicUrl = () => origin
  const emit = (audit: CargoEvent) => logger.info({ audit }, 'audit')
  const host: Host = { auth, storage, metrics, logger, publicUrl, emit, ...(cache && { cache }) }
  const plugin = cargo(host, pluginOptions(config, environment))

  const app = new Koa()
  app.silent = true
  const onError = createErrorLog(logger)
  app.on('error', onError)
  app.use(continueVisit)
  app.use(createHealth({ storage, metrics: shareMetrics(metrics), isStopping: () => stopping !== undefined }))
  app.use(plugin)
  app.use(answerNothingHere)

  const front = createFront({
    ...{ plugin, koa: app.callback(), onError },
    addressOf: createClientAddress(config.trust_proxy),
    log: createVisitLog(logger, context.logRequest ?? ((fields) => logger.info(fields, 'request'))),
  })

  const closeParts = async () => {
    await plugin.close()
    await cache?.close()
    await storage.close?.()
  }
  const timeouts = {
    header: config.client_header_timeout,
    keepAlive: config.keepalive_timeout,
    idle: config.send_timeout,
  }
  const speech = { keyPair, h2c: config.h2c }
  const listener = await openListener(config.listen, speech, timeouts, front).catch(
    async (error: unknown) => {
      await closeParts()
      throw error
    },
  )
  const { port } = listener
  origin = config.public_url ?? originOf(config, port)

  return {
    url: publicUrl() + plugin.mount,
    port,
    storage,
    close() {
      stopping ??= listener.close(GRACE_MS).then(closeParts)
      return stopping
    },
  }
}

/** By itself Koa says one thing over HTTP/1.1 and another over HTTP/2. */
function answerNothingHere(ctx: Context): void {
  ctx.status = 404
  ctx.body = 'Not Found\n'
}

/** Its client is many modules, which would take a fifth of the start of a server that has no use for them. */
async function openRedis(address: RedisAddress): Promise<ClosableCache> {
  const { redisCache } = await import('../hosts/redis-cache.ts')
  return redisCache(address)
}

function originOf({ tls, listen: { host } }: Config, port: number): string {
  return `${tls ? 'https' : 'http'}://${renderListen({ host, port })}`
}
