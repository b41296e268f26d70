import type { PackageAccess } from '../hosts/verdaccio/api.ts'
import { type CrateRules, cargoRules } from '../hosts/verdaccio/rights.ts'
import { readSecrets } from '../options/secrets.ts'
import { ALL_NAMES, describeProblems, OptionsError, type OptionsInput, optionsSchema } from '../options.ts'

/** No npm package can be called so. */
const MOUNT = '/-/cargo'
/** What the core asks of a caller where the host's auth plugins decide: nothing. */
const LEFT_TO_HOST = { access: '$all', publish: '$all', unpublish: '$all' } as const
const RIGHTS = ['access', 'publish', 'unpublish'] as const

/** The plugin's block in Verdaccio's configuration. */
export interface Block {
  readonly enabled: boolean
  /** The URL of a Redis, or those of some nodes of a cluster. */
  readonly redis: string | readonly string[] | undefined
  /** Whether the host's web pages link to those about crates. */
  readonly web: boolean
  /** Rights by the plugin's own rules; absent: the host's `packages` decide. */
  readonly rules: CrateRules | undefined
  readonly mount: string
  readonly options: OptionsInput
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the block.
 * @throws {OptionsError} naming each wrong key
 */
export function parseBlock(
  block: unknown,
  hostPackages: Readonly<Record<string, PackageAccess>>,
  environment: Environment,
): Block {
  if (!isMap(block))
    throw new OptionsError(['`middlewares.cargo`: must be a map, such as `{ enabled: true }`'])
  const { enabled = true, web = false, redis, ...rest } = block
  if (typeof enabled !== 'boolean') throw new OptionsError(['`enabled`: must be `true` or `false`'])
  if (typeof web !== 'boolean') throw new OptionsError(['`web`: must be `true` or `false`'])
  if (redis !== undefined && typeof redis !== 'string' && !isTexts(redis))
    throw new OptionsError([
      '`redis`: must be a URL, the name of an environment variable, or a list of URLs of a cluster',
    ])
  const checked = optionsSchema.safeParse(rest)
  if (!checked.success) throw new OptionsError(describeProblems(checked.error))
  const { options, problems } = readSecrets<OptionsInput>(rest, environment)
  if (problems.length > 0) throw new OptionsError(problems)
  const rules = options.packages && crateRules(options.packages)
  const decisive = rules === undefined ? cargoRules(hostPackages) : Object.values(rules)
  return {
    enabled,
    web,
    redis: typeof redis === 'string' ? (environment[redis] ?? redis) : redis,
    rules,
    mount: options.mount ?? MOUNT,
    options: {
      mount: MOUNT,
      auth_required: decisive.some(isNarrow),
      ...options,
      packages: leftToHost(options, rules !== undefined),
    },
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string')
}

type Rules = NonNullable<OptionsInput['packages']>

/** The rights in the rules, if they give any. */
function crateRules(written: Rules): CrateRules | undefined {
  if (!Object.values(written).some((rule) => RIGHTS.some((right) => rule[right] !== undefined)))
    return undefined
  return Object.fromEntries(
    Object.entries(written).map(([glob, { access = '$all', publish = [], unpublish = [] }]) => [
      glob,
      { access: list(access), publish: list(publish), unpublish: list(unpublish) },
    ]),
  )
}

/** The rules without their rights, which are asked of the host; but where a rule gives nobody a right, nobody has it. */
function leftToHost({ packages, uplinks = {} }: OptionsInput, hasRights: boolean): Rules {
  if (packages === undefined) return { '**': { ...LEFT_TO_HOST, proxy: Object.keys(uplinks) } }
  return Object.fromEntries(
    Object.entries(packages).map(([glob, rule]) => {
      const given = RIGHTS.filter((right) => !hasRights || right === 'access' || rule[right] !== undefined)
      return [glob, { ...rule, ...Object.fromEntries(given.map((right) => [right, LEFT_TO_HOST[right]])) }]
    }),
  )
}

function isNarrow({ access = ['$all'] }: PackageAccess): boolean {
  return !access.some((name) => ALL_NAMES.has(name))
}

function list(names: string | readonly string[]): readonly string[] {
  return typeof names === 'string' ? names.split(/\s+/).filter(Boolean) : names
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
