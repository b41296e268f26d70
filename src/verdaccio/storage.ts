import { dirname, isAbsolute, join } from 'node:path'
import { CargoError } from '../errors.ts'
import type { Logger, ObjectStore } from '../host.ts'
import { fsStorage } from '../hosts/fs.ts'
import { lazyStore } from '../hosts/lazy-store.ts'
import { type S3Options, s3Storage } from '../hosts/s3.ts'
import type { StorePlugin, VerdaccioConfig, VerdaccioStorage } from '../hosts/verdaccio/api.ts'
import { pluginStore } from '../hosts/verdaccio/plugin-store.ts'
import { OptionsError } from '../options.ts'

/** Below the host's storage; no npm package and no pattern of Verdaccio's begins with a dot. */
const FOLDER = '.cargo'
const S3_PLUGIN = 'aws-s3-storage'
const SDK = '@aws-sdk/client-s3'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The store for crates where the host keeps its packages: its folder, its bucket, or its store plugin of another kind.
 * @throws {OptionsError} when a bucket needs a package that is not installed
 */
export function hostStorage(
  config: VerdaccioConfig,
  storage: VerdaccioStorage,
  { environment, logger }: { readonly environment: Environment; readonly logger: Logger },
): ObjectStore {
  const [name, settings] = Object.entries(config.store ?? {})[0] ?? []
  if (name === undefined) return fsStorage(join(storageFolder(config, environment), FOLDER))
  if (name === S3_PLUGIN) return bucketStorage(s3Options(settings, environment), logger)
  logger.warn(
    { store: name },
    `cargo: crates are kept through the store plugin ${name}, which cannot keep two writers apart: run one process only`,
  )
  return pluginStore(pluginOf(storage))
}

function storageFolder(
  { storage = 'storage', configPath, self_path }: VerdaccioConfig,
  of: Environment,
): string {
  const folder = of['VERDACCIO_STORAGE_PATH'] ?? storage
  return isAbsolute(folder) ? folder : join(dirname(configPath ?? self_path ?? ''), folder)
}

/** The bucket is tried out behind the start of the host, which waits for nobody. */
function bucketStorage(options: S3Options, logger: Logger): ObjectStore {
  try {
    import.meta.resolve(SDK)
  } catch {
    throw new OptionsError([
      `\`store.${S3_PLUGIN}\`: crates are kept in the same bucket, which needs one more package: npm install ${SDK}`,
    ])
  }
  const store = lazyStore(() => openBucket(options, logger), {
    multiWriter: true,
    onFailure: (err) => logger.error({ err }, 'cargo: the bucket cannot be used'),
  })
  store.stat('ready').catch(() => {})
  return store
}

async function openBucket(options: S3Options, logger: Logger): Promise<ObjectStore> {
  try {
    return await s3Storage(options)
  } catch (error) {
    if (error instanceof CargoError || !(error instanceof Error)) throw error
    logger.warn(
      { reason: error.message },
      'cargo: this bucket cannot keep two writers apart: run one process only',
    )
    return s3Storage({ ...options, singleWriter: true })
  }
}

/** The settings of `verdaccio-aws-s3-storage`, in which a value may be the name of an environment variable. */
function s3Options(settings: unknown, environment: Environment): S3Options {
  const given = (settings ?? {}) as Readonly<Record<string, unknown>>
  const text = (key: string): string | undefined => {
    const value = given[key]
    return typeof value === 'string' ? (environment[value] ?? value) : undefined
  }
  const [bucket, accessKeyId, secretAccessKey] = [
    text('bucket'),
    text('accessKeyId'),
    text('secretAccessKey'),
  ]
  if (bucket === undefined) throw new OptionsError([`\`store.${S3_PLUGIN}.bucket\`: must be a bucket's name`])
  const [region, endpoint, prefix, sessionToken] = [
    text('region'),
    text('endpoint'),
    text('keyPrefix'),
    text('sessionToken'),
  ]
  const forcePathStyle = given['s3ForcePathStyle']
  return {
    bucket,
    prefix: `${(prefix ?? '').replace(/(?<=[^/])\/*$/, '/')}${FOLDER}/`,
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(typeof forcePathStyle === 'boolean' && { forcePathStyle }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && {
        credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
      }),
  }
}

/** Both are internal, but what the host itself uses. */
function pluginOf({ localStorage }: VerdaccioStorage): StorePlugin {
  const plugin = localStorage?.getStoragePlugin?.() ?? localStorage?.storagePlugin
  if (plugin === undefined)
    throw new Error('this Verdaccio has no store plugin: it is a version that was never tried')
  return plugin
}
