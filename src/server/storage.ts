import type { ObjectStore } from '../host.ts'
import { fsStorage } from '../hosts/fs.ts'
import { type S3Credentials, s3Storage } from '../hosts/s3.ts'
import { ConfigError } from './config.ts'
import type { S3Config, StorageConfig } from './config-storage.ts'
import type { Environment } from './environment.ts'
import { Mistake } from './mistake.ts'
import { reasonOf } from './reason.ts'
import { findNoFolder } from './registry-folder.ts'

/** The configured storage. */
export interface OpenStorage {
  readonly store: ObjectStore
  /** As messages name it: "folder `/data`". */
  readonly name: string
  /** Why there is no registry in it yet; `undefined` when there may be one. Nothing is made by looking. */
  findNoRegistry(): Promise<string | undefined>
  close(): Promise<void>
}

/** How a store is opened: a server tries it out first, if the settings say so. */
export interface Opening {
  /** For the names of variables in the settings. */
  readonly environment: Environment
  readonly selfTest?: boolean
}

/**
 * Opens the configured storage.
 * @throws {ConfigError} naming a variable that is not set, a package that is missing, or what the self-test found
 */
export async function openStorage(config: StorageConfig, opening: Opening): Promise<OpenStorage> {
  if (config.s3 !== undefined) return openBucket(config.s3, opening)
  const { path } = config.fs
  const store = fsStorage(path)
  return {
    ...{ store, close: store.close },
    name: `folder \`${path}\``,
    findNoRegistry: () => findNoFolder(path),
  }
}

/**
 * Makes sure that there is a registry, where a command would begin an empty one.
 * @throws {Mistake} saying that there is none
 */
export async function mustBeRegistry(storage: OpenStorage): Promise<void> {
  const problem = await storage.findNoRegistry()
  if (problem !== undefined) throw new Mistake(problem)
}

async function openBucket(
  config: S3Config,
  { environment, selfTest = false }: Opening,
): Promise<OpenStorage> {
  const { bucket, region, endpoint, prefix, force_path_style, single_writer, self_test, timeout, redirect } =
    config
  const place = [prefix && ` under \`${prefix}\``, endpoint && ` at \`${endpoint}\``].filter(Boolean).join('')
  const name = `bucket \`${bucket}\`${place}`
  const credentials = credentialsOf(config, environment)
  const opening = s3Storage({
    ...{ bucket, timeout, redirect, singleWriter: single_writer, selfTest: selfTest && self_test },
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(prefix !== undefined && { prefix }),
    ...(force_path_style !== undefined && { forcePathStyle: force_path_style }),
    ...(credentials && { credentials }),
  })
  const store = await opening.catch((cause: unknown) => {
    throw new ConfigError([`\`storage.s3\`: ${name}: ${reasonOf(cause)}`], { cause })
  })
  return {
    ...{ store, name, close: store.close },
    async findNoRegistry() {
      try {
        for await (const _ of store.list('')) return undefined
        return `there is no registry in ${name}: it is empty`
      } catch (error) {
        return `${name}: ${reasonOf(error)}`
      }
    },
  }
}

function credentialsOf(
  { access_key_id_env, secret_access_key_env, session_token_env }: S3Config,
  environment: Environment,
): S3Credentials | undefined {
  if (access_key_id_env === undefined || secret_access_key_env === undefined) return undefined
  const read = (key: string, variable: string) => {
    const value = environment[variable]
    if (value) return value
    throw new ConfigError([`\`storage.s3.${key}\`: the environment variable \`${variable}\` is not set`])
  }
  return {
    accessKeyId: read('access_key_id_env', access_key_id_env),
    secretAccessKey: read('secret_access_key_env', secret_access_key_env),
    ...(session_token_env && { sessionToken: read('session_token_env', session_token_env) }),
  }
}
