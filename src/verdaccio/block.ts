import type { PackageAccess } from '../hosts/verdaccio/api.ts'
import { type CrateRules, cargoRules } from '../hosts/verdaccio/rights.ts'
import { ALL_NAMES, OptionsError, type OptionsInput } from '../options.ts'

/** No npm package can be called so. */
const MOUNT = '/-/cargo'
/** What the core asks of a caller where the host's auth plugins decide: nothing. */
const LEFT_TO_HOST = { access: '$all', publish: '$all', unpublish: '$all' } as const
const RIGHTS = ['access', 'publish', 'unpublish'] as const

/** The plugin's block in Verdaccio's configuration. */
export interface Block {
  readonly enabled: boolean
  /** The URL of a Redis. */
  readonly redis: string | undefined
  /** Rights by the plugin's own rules; absent: the host's `packages` decide. */
  readonly rules: CrateRules | undefined
  readonly options: OptionsInput
}

type Environment = Readonly<Record<string, string | undefined>>
type Rules = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/**
 * Reads the block; what else is wrong in `options` the plugin says itself.
 * @throws {OptionsError} naming the key
 */
export function parseBlock(
  block: unknown,
  hostPackages: Readonly<Record<string, PackageAccess>>,
  environment: Environment,
): Block {
  if (!isMap(block))
    throw new OptionsError(['`middlewares.cargo`: must be a map, such as `{ enabled: true }`'])
  const { enabled = true, redis, ...options } = block
  if (typeof enabled !== 'boolean') throw new OptionsError(['`enabled`: must be `true` or `false`'])
  if (redis !== undefined && typeof redis !== 'string')
    throw new OptionsError(['`redis`: must be a URL or the name of an environment variable'])
  const written = mapOfMaps(options['packages'])
  const rules = written && crateRules(written)
  const decisive = rules === undefined ? cargoRules(hostPackages) : Object.values(rules)
  return {
    enabled,
    redis: redis === undefined ? undefined : (environment[redis] ?? redis),
    rules,
    options: {
      mount: MOUNT,
      auth_required: decisive.some(isNarrow),
      ...options,
      ...packagesOf(options, written, rules !== undefined),
    } as OptionsInput,
  }
}

/** The rights in the rules, if they give any. */
function crateRules(written: Rules): CrateRules | undefined {
  if (!Object.values(written).some((rule) => RIGHTS.some((right) => right in rule))) return undefined
  return Object.fromEntries(
    Object.entries(written).map(([glob, { access, publish, unpublish }]) => [
      glob,
      { access: names(access ?? '$all'), publish: names(publish), unpublish: names(unpublish) },
    ]),
  )
}

/** The rules without rights: those are asked of the host. Who may remove is said explicitly, or nobody may. */
function packagesOf(
  options: Readonly<Record<string, unknown>>,
  written: Rules | undefined,
  hasRights: boolean,
): Pick<OptionsInput, 'packages'> | undefined {
  if (written === undefined) {
    // Something that is no map is left to be complained about.
    if (options['packages'] !== undefined) return undefined
    const proxy = isMap(options['uplinks']) ? Object.keys(options['uplinks']) : []
    return { packages: { '**': { ...LEFT_TO_HOST, proxy } } }
  }
  const left = Object.entries(written).map(([glob, rule]) => {
    const given = RIGHTS.filter((right) => right in rule || !hasRights || right === 'access')
    return [glob, { ...rule, ...Object.fromEntries(given.map((right) => [right, LEFT_TO_HOST[right]])) }]
  })
  return { packages: Object.fromEntries(left) }
}

function isNarrow({ access = ['$all'] }: PackageAccess): boolean {
  return !access.some((name) => ALL_NAMES.has(name))
}

function names(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String)
  return typeof value === 'string' ? value.split(/\s+/).filter(Boolean) : []
}

function mapOfMaps(value: unknown): Rules | undefined {
  return isMap(value) && Object.values(value).every(isMap) ? (value as Rules) : undefined
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
