import { CargoError } from '../errors.ts'
import type { Logger } from '../host.ts'
import { fsStorage } from '../hosts/fs.ts'
import { type Options, parseOptions } from '../options.ts'
import { createWorkbench, type Workbench } from '../registry/workbench.ts'
import { type ConfigSources, loadConfig } from './config-sources.ts'
import { Mistake } from './mistake.ts'
import { pluginOptions } from './plugin-options.ts'
import { registryUrl } from './public-url.ts'

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
 * Opens the configured storage and uplinks; servers on the same storage go on serving.
 * @throws {ConfigError | OptionsError | Mistake} for settings that cannot be used, or without uplinks
 */
export async function openWorkbench(sources: ConfigSources, logger: Logger): Promise<OpenWorkbench> {
  const config = await loadConfig(sources)
  const options = parseOptions(pluginOptions(config, sources.environment))
  if (Object.keys(options.uplinks).length === 0) {
    throw new Mistake('no uplinks are configured: `cargo.uplinks` says where crates come from')
  }
  const storage = fsStorage(config.storage.fs.path)
  const [now, monotonic] = [() => new Date(), () => performance.now()]
  const bench = createWorkbench({ storage, options, logger, now, monotonic })
  try {
    await bench.storage.stat(SOME_KEY)
  } catch (error) {
    await bench.close()
    if (!(error instanceof CargoError)) throw error
    throw new Mistake(`folder \`${config.storage.fs.path}\`: ${error.message}`, { cause: error })
  }
  return { bench, options, via: registryUrl(config, options) }
}
