import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { type Config, ConfigError, CRATES_IO, parseConfig } from './config.ts'
import {
  type Environment,
  environmentOverrides,
  type Override,
  settingAt,
  withOverride,
} from './environment.ts'

/** Settings that name files: relative to the folder of the file they are in, else to the working directory. */
const FILE_SETTINGS: readonly (readonly string[])[] = [
  ['storage', 'fs', 'path'],
  ['tls', 'cert'],
  ['tls', 'key'],
  ['auth', 'htpasswd'],
]

/** Where settings come from; the later ones win. */
export interface ConfigSources {
  /** A YAML file. */
  readonly file?: string | undefined
  readonly environment: Environment
  /** From the command line. */
  readonly listen?: string | undefined
  readonly data?: string | undefined
  /** `false`: only local crates, whatever the settings say. */
  readonly uplinks?: boolean | undefined
  readonly workingDirectory: string
}

/**
 * Reads, merges and checks the settings; every file name in the answer is absolute.
 * @throws {ConfigError} naming the file, variable or key that is wrong
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const { file, environment, listen, data, workingDirectory } = sources
  const path = file === undefined ? undefined : resolve(workingDirectory, file)
  const written = path === undefined ? {} : resolveFiles(await readYaml(path), dirname(path))
  const overrides: readonly Override[] = [
    ...environmentOverrides(environment, FILE_SETTINGS),
    ...(listen === undefined ? [] : [{ path: ['listen'], value: listen }]),
    ...(data === undefined ? [] : [{ path: ['storage', 'fs', 'path'], value: data }]),
  ]
  const settings = resolveFiles(overrides.reduce(withOverride, written), workingDirectory)
  const config = parseConfig(sources.uplinks === false ? withoutUplinks(settings) : withCratesIo(settings))
  if (config.storage.fs === undefined) return config
  // The default is in no source.
  return { ...config, storage: { fs: { path: resolve(workingDirectory, config.storage.fs.path) } } }
}

/** Unless the settings say where crates come from, crates.io has what is not local. */
function withCratesIo(settings: unknown): unknown {
  const path = ['cargo', 'uplinks']
  return settingAt(settings, path) === undefined
    ? withOverride(settings, { path, value: CRATES_IO })
    : settings
}

/** Without `proxy` in the rules too, which would lead nowhere. */
function withoutUplinks(settings: unknown): unknown {
  const packages = settingAt(settings, ['cargo', 'packages'])
  const local = withOverride(settings, { path: ['cargo', 'uplinks'], value: {} })
  if (typeof packages !== 'object' || packages === null) return local
  return Object.keys(packages)
    .filter((glob) => settingAt(packages, [glob, 'proxy']) !== undefined)
    .reduce(
      (tree, glob) => withOverride(tree, { path: ['cargo', 'packages', glob, 'proxy'], value: [] }),
      local,
    )
}

async function readYaml(path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, 'utf8')) ?? {}
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause)
    throw new ConfigError([`file \`${path}\`: ${reason}`], { cause })
  }
}

function resolveFiles(tree: unknown, folder: string): unknown {
  return FILE_SETTINGS.reduce((settings, path) => {
    const value = settingAt(settings, path)
    // Anything else is the schema's to refuse; an empty string is no folder.
    if (typeof value !== 'string' || value === '') return settings
    return withOverride(settings, { path, value: resolve(folder, value) })
  }, tree)
}
