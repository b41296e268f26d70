import { z } from 'zod'
import { names } from './options/names.ts'
import { packageRule } from './options/packages.ts'
import { rateLimits } from './options/rate-limits.ts'
import { retention } from './options/retention.ts'
import { byteSize, interval } from './options/units.ts'
import { uplink } from './options/uplinks.ts'
import { webhook, webhookProblems } from './options/webhooks.ts'

export type { PackageRule } from './options/packages.ts'
export type { RateLimit } from './options/rate-limits.ts'
export type { UplinkOptions } from './options/uplinks.ts'
export type { WebhookOptions } from './options/webhooks.ts'

const limits = z
  .strictObject({
    crate: byteSize.prefault('10MiB').describe('largest `.crate` file that may be published'),
    unpacked: byteSize.prefault('512MiB').describe('largest unpacked size of a published crate'),
    metadata: byteSize.prefault('1MiB').describe('largest JSON part of a publish'),
    entries: z.int().positive().default(20_000).describe('most files in a published crate'),
    publishes: z
      .int()
      .positive()
      .default(8)
      .describe('most published crates that are inspected at a time; others wait'),
    proxied: byteSize.prefault('1GiB').describe('largest `.crate` file of an uplink'),
    index: byteSize.prefault('32MiB').describe('largest index file of an uplink'),
  })
  .prefault({})

/** The options of the plugin; `plugin.json` carries their JSON Schema. */
export const optionsSchema = z.strictObject({
  mount: z
    .string()
    .regex(
      /^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$/,
      'must be empty or a path like `/cargo`, without a final slash',
    )
    .default('/cargo')
    .describe('path of the registry'),
  auth_required: z
    .boolean()
    .optional()
    .describe('whether reads need a login; not set: as soon as a rule gives `access` to less than `$all`'),
  admins: names
    .prefault([])
    .describe('users and groups that may change the owners of any crate, and remove it'),
  audit_downloads: z
    .boolean()
    .default(false)
    .describe('whether who downloaded what is kept, for `admins` to read'),
  ownership: z
    .enum(['first_publisher', 'rules'])
    .default('first_publisher')
    .describe(
      '`first_publisher`: owners decide per crate; `rules`: whoever may publish may also yank and own',
    ),
  packages: z
    .record(z.string().min(1), packageRule)
    .prefault({ '**': { access: '$all', publish: '$authenticated' } })
    .describe(
      'rights and origin by crate name: globs, first match wins; case, `-` and `_` do not matter; the default has every uplink as `proxy`',
    ),
  uplinks: z
    .record(
      z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be letters, digits, `.`, `_` and `-`'),
      uplink,
    )
    .default({})
    .describe(
      'registries that crates come from which are not local; without one only local crates are served',
    ),
  offline: z.boolean().default(false).describe('never calls an uplink: what is kept is served, however old'),
  prefetch: z
    .int()
    .nonnegative()
    .default(512)
    .describe(
      'most files fetched ahead of one client at a time; only index files for who asks for many at once, as cargo does over HTTP/2; 0: none',
    ),
  rules: z
    .enum(['private', 'crates_io'])
    .default('private')
    .describe(
      'what crates.io demands beyond integrity (description, licence …), and dependencies on this registry that are not there: `private` warns, `crates_io` refuses',
    ),
  registries: z
    .array(z.string())
    .default([])
    .describe('index URLs of other registries that published crates may depend on'),
  aliases: z
    .array(z.url())
    .default([])
    .describe(
      'old public URLs of this registry: dependencies that name one are dependencies on this registry',
    ),
  webhooks: z
    .array(webhook)
    .default([])
    .describe('who is told of publishes and other events, by signed POSTs'),
  retention,
  fast_path: z
    .boolean()
    .default(true)
    .describe(
      'whether what is in memory is sent past the router and past `ctx.body`; `false` for hosts whose own middlewares change answers',
    ),
  limits,
  rate_limits: rateLimits,
  client_body_timeout: interval
    .refine((ms) => ms >= 1, 'must be longer than nothing')
    .prefault('30s')
    .describe(
      "longest pause in a request's body; also slower than 1 KiB/s over twice that time is answered with 408",
    ),
})

/** Options as an operator writes them. */
export type OptionsInput = z.input<typeof optionsSchema>
/** Checked options with every default filled in. */
export type Options = z.output<typeof optionsSchema>

/** An option that is missing, misspelt or of the wrong type; the message names every such key. */
export class OptionsError extends Error {
  constructor(problems: readonly string[]) {
    super(`invalid options: ${problems.join('; ')}`)
    this.name = 'OptionsError'
  }
}

/**
 * Checks options and fills in defaults.
 * @throws {OptionsError} naming each wrong key
 */
export function parseOptions(input: unknown): Options {
  const result = optionsSchema.safeParse(input ?? {})
  if (!result.success) throw new OptionsError(describeProblems(result.error))
  const options = withDefaultRule(result.data, isRecord(input) && input['packages'] !== undefined)
  const problems = [...uplinkProblems(options), ...webhookProblems(options.webhooks)]
  if (problems.length > 0) throw new OptionsError(problems)
  const narrow = narrowRule(options)
  if (options.auth_required === false && narrow !== undefined) {
    throw new OptionsError([
      `\`auth_required: false\` contradicts \`packages.${narrow}.access\`: cargo sends a token on reads only when \`auth_required\` is true`,
    ])
  }
  return options
}

/** Whether reads need a credential: as configured, else as soon as one rule's `access` is narrower than `$all`. */
export function readsNeedLogin(options: Options): boolean {
  return options.auth_required ?? narrowRule(options) !== undefined
}

/** Each problem as one phrase that starts with the dotted key. */
export function describeProblems(error: z.ZodError): string[] {
  return error.issues.map((issue) => {
    const key = issue.path.map(String).join('.')
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((name) => `unknown key \`${[key, name].filter(Boolean).join('.')}\``).join('; ')
    }
    return `\`${key || 'options'}\`: ${issue.message}`
  })
}

/** Who names uplinks and no rules wants all crates from them. */
function withDefaultRule(options: Options, hasRules: boolean): Options {
  const proxy = Object.keys(options.uplinks)
  if (hasRules || proxy.length === 0) return options
  const packages = Object.entries(options.packages).map(([glob, rule]) => [glob, { ...rule, proxy }] as const)
  return { ...options, packages: Object.fromEntries(packages) }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** Names in `proxy` that lead nowhere, and tokens that nobody has looked up. */
function uplinkProblems({ packages, uplinks }: Options): string[] {
  const known = Object.keys(uplinks)
  const unknown = Object.entries(packages).flatMap(([glob, { proxy = [] }]) =>
    proxy
      .filter((name) => !known.includes(name))
      .map((name) => `\`packages.${glob}.proxy\`: \`${name}\` is not in \`uplinks\``),
  )
  const unresolved = Object.entries(uplinks)
    .filter(([, { auth }]) => auth !== undefined && auth.token === undefined)
    .map(
      ([name]) => `\`uplinks.${name}.auth.token\`: must be given where the host does not read \`token_env\``,
    )
  return [...unknown, ...unresolved]
}

function narrowRule(options: Options): string | undefined {
  return Object.entries(options.packages).find(([, rule]) => !isForAll(rule.access))?.[0]
}

function isForAll(access: readonly string[] | undefined): boolean {
  return access === undefined || access.some((name) => ALL_NAMES.has(name))
}

/** Verdaccio's spellings of everyone, deprecated ones included. */
export const ALL_NAMES: ReadonlySet<string> = new Set(['$all', '@all', 'all'])
