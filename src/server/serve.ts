import cluster from 'node:cluster'
import type { Writable } from 'node:stream'
import type { ObjectStore } from '../host.ts'
import { type Config, ConfigError } from './config.ts'
import { type ConfigSources, loadConfig } from './config-sources.ts'
import { createFirstToken, renderFirstSteps } from './first-user.ts'
import { createLogs, type Logs } from './logger.ts'
import { reasonOf } from './reason.ts'
import { type CargoServer, createServer } from './server.ts'
import { openStorage } from './storage.ts'
import { metricsOfAllWorkers } from './worker.ts'
import { startWorkers } from './workers.ts'

/** What serves: this process, or its workers. */
export type Serving = Pick<CargoServer, 'url' | 'port' | 'close'>

/**
 * The `serve` command: starts the server, in this process or in workers, and says on `out` where it is; logs go to
 * stderr.
 * @throws {ConfigError | Mistake} for settings that cannot be used
 */
export async function serve(sources: ConfigSources, out: Writable): Promise<Serving> {
  const logs = createLogs()
  const config = await loadConfig(sources)
  const { serving, token } = await (config.workers === 1 ? serveAlone : serveByWorkers)(config, sources, logs)
  const { url, port } = serving
  const steps = token === undefined ? '' : renderFirstSteps(url, token)
  out.write(`verdaccio-cargo serves ${url}/\n${steps}`)
  logs.logger.info({ url, port, workers: config.workers, storage: config.storage }, 'listening')
  return serving
}

/** The same in a worker, which says nothing to anybody but its primary. */
export async function serveAsWorker(sources: ConfigSources): Promise<CargoServer> {
  const { environment } = sources
  const config = await loadConfig(sources)
  const logs = createLogs({ worker: cluster.worker?.id })
  // The primary has tried the store out.
  return createServer(config, { environment, ...logs, selfTest: false, shareMetrics: metricsOfAllWorkers })
}

interface Started {
  readonly serving: Serving
  /** Of the first user, at the first start on a storage. */
  readonly token: string | undefined
}

async function serveAlone(config: Config, { environment }: ConfigSources, logs: Logs): Promise<Started> {
  const serving = await createServer(config, { environment, ...logs })
  return { serving, token: await firstToken(config, serving.storage, serving) }
}

async function serveByWorkers(
  config: Config,
  { environment }: ConfigSources,
  { logger }: Logs,
): Promise<Started> {
  const storage = await openStorage(config.storage, { environment, selfTest: true })
  try {
    const serving = await startWorkers(config.workers, logger)
    return { serving, token: await firstToken(config, storage.store, serving) }
  } finally {
    await storage.close()
  }
}

/** Without configured users somebody has to be the first. */
async function firstToken(
  config: Config,
  storage: ObjectStore,
  serving: Serving,
): Promise<string | undefined> {
  if (config.auth !== undefined) return undefined
  try {
    return await createFirstToken(storage)
  } catch (cause) {
    await serving.close()
    const setting = config.storage.fs ? 'storage.fs.path' : 'storage.s3'
    throw new ConfigError([`\`${setting}\`: ${reasonOf(cause)}`], { cause })
  }
}
