import { CargoError } from '../errors.ts'
import type { ObjectStore } from '../host.ts'
import type { Config } from './config.ts'
import { type ConfigSources, loadConfig } from './config-sources.ts'
import { Mistake } from './mistake.ts'
import { reasonOf } from './reason.ts'
import { mustBeRegistry, openStorage } from './storage.ts'

/**
 * Lets a command use the configured storage of a registry that is there; servers on it go on serving.
 * @throws {ConfigError | Mistake} for settings and storage that cannot be used
 */
export async function withStore<T>(
  sources: ConfigSources,
  use: (store: ObjectStore, config: Config) => Promise<T>,
): Promise<T> {
  const config = await loadConfig(sources)
  const storage = await openStorage(config.storage, sources)
  await mustBeRegistry(storage)
  try {
    return await use(storage.store, config)
  } catch (cause) {
    if (!(cause instanceof CargoError) && !isSystemFailure(cause)) throw cause
    throw new Mistake(`${storage.name}: ${reasonOf(cause)}`, { cause })
  } finally {
    await storage.close()
  }
}

function isSystemFailure(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
