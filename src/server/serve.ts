import type { Writable } from 'node:stream'
import { destination, type Logger, pino } from 'pino'
import { type Config, ConfigError } from './config.ts'
import { type ConfigSources, loadConfig } from './config-sources.ts'
import { createFirstToken, renderFirstSteps } from './first-user.ts'
import { reasonOf } from './reason.ts'
import { requestFields } from './request-log.ts'
import { type CargoServer, createServer } from './server.ts'

const STDERR = 2

/**
 * The `serve` command: starts the server and says on `out` where it is; logs go to stderr.
 * @throws {ConfigError} for settings that cannot be used
 */
export async function serve(sources: ConfigSources, out: Writable): Promise<CargoServer> {
  const logger = createLogger()
  const config = await loadConfig(sources)
  const server = await createServer(config, { environment: sources.environment, logger })
  const token = config.auth === undefined ? await firstToken(server, config) : undefined
  const steps = token === undefined ? '' : renderFirstSteps(server.url, token)
  out.write(`verdaccio-cargo serves ${server.url}/\n${steps}`)
  logger.info({ url: server.url, port: server.port, storage: config.storage }, 'listening')
  return server
}

/** JSON lines on stderr, each with the id of the request it belongs to. */
export function createLogger(): Logger {
  return pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime, mixin: requestFields },
    destination(STDERR),
  )
}

async function firstToken(server: CargoServer, config: Config): Promise<string | undefined> {
  try {
    return await createFirstToken(server.storage)
  } catch (cause) {
    await server.close()
    const setting = config.storage.fs ? 'storage.fs.path' : 'storage.s3'
    throw new ConfigError([`\`${setting}\`: ${reasonOf(cause)}`], { cause })
  }
}
