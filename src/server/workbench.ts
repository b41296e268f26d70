import { CargoError } from '../errors.ts'
import type { Logger } from '../host.ts'
import { type Options, parseOptions } from '../options.ts'
import { createWorkbench, type Workbench } from '../registry/workbench.ts'
import { type ConfigSources, loadConfig } from './config-sources.ts'
import { Mistake } from './mistake.ts'
import { pluginOptions } from './plugin-options.ts'
import { registryUrl } from './public-url.ts'
import { reasonOf } from './reason.ts'
import { mustBeRegistry, openStorage } from './storage.ts'

/** Any key will do: the answer is of no interest. */
const SOME_KEY = 'probe'

/** The configured registry, for a command. */
export interface OpenWorkbench {
  readonly bench: Workbench
  readonly options: Options
  /** Its base URL, mount included. */
  readonly via: string
}

/**
 * Opens the configured storage and uplinks; servers on the same storage go on serving. `needsRegistry`: a storage that
 * has nothing in it yet is a mistake.
 * @throws {ConfigError | OptionsError | Mistake} for settings that cannot be used, or without uplinks
 */
export async function openWorkbench(
  sources: ConfigSources,
  logger: Logger,
  { needsRegistry = false } = {},
): Promise<OpenWorkbench> {
  const config = await loadConfig(sources)
  const options = parseOptions(pluginOptions(config, sources.environment))
  if (Object.keys(options.uplinks).length === 0) {
    throw new Mistake('no uplinks are configured: `cargo.uplinks` says where crates come from')
  }
  const storage = await openStorage(config.storage, sources)
  if (needsRegistry) await mustBeRegistry(storage)
  const [now, monotonic] = [() => new Date(), () => performance.now()]
  const bench = createWorkbench({ storage: storage.store, options, logger, now, monotonic })
  const close = () => bench.close().finally(storage.close)
  try {
    await bench.storage.stat(SOME_KEY)
  } catch (error) {
    await close()
    if (!(error instanceof CargoError)) throw error
    throw new Mistake(`${storage.name}: ${reasonOf(error)}`, { cause: error })
  }
  return { bench: { ...bench, close }, options, via: registryUrl(config, options) }
}
