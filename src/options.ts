import { z } from 'zod'

const MiB = 1024 * 1024

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  kib: 1024,
  mib: MiB,
  gib: 1024 ** 3,
}

/** No flags: the pattern goes into the JSON Schema, which has none. */
const BYTE_SIZE = /^\d{1,15}\s*([kmgKMG][iI]?)?[bB]?$/

const byteSize = z
  .union([
    z.int().positive(),
    z.string().regex(BYTE_SIZE, 'must be bytes, or a number with a unit such as `10MiB`'),
  ])
  .transform(parseByteSize)
  .describe('bytes, or a number with a unit: `512KiB`, `10MiB`, `1GiB`')

const names = z
  .union([z.string(), z.array(z.string())])
  .transform(splitNames)
  .describe('users and groups, as a list or separated by spaces; `$all`, `$authenticated`, `$anonymous`')

const packageRule = z
  .strictObject({
    access: names.optional().describe('who may read; default `$all`'),
    publish: names.optional().describe('who may publish, yank and own; default nobody'),
    unpublish: names.optional().describe('who may remove versions; default nobody'),
  })
  .describe('rights on the crates whose name matches the key')

const limits = z
  .strictObject({
    crate: byteSize.default(10 * MiB).describe('largest `.crate` file that may be published; default 10 MiB'),
    unpacked: byteSize
      .default(512 * MiB)
      .describe('largest unpacked size of a published crate; default 512 MiB'),
    metadata: byteSize.default(MiB).describe('largest JSON part of a publish; default 1 MiB'),
    entries: z.int().positive().default(20_000).describe('most files in a published crate; default 20,000'),
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
    .describe('path under which cargo is served; default `/cargo`'),
  auth_required: z
    .boolean()
    .optional()
    .describe('whether reads need a login; default: as soon as a rule gives `access` to less than `$all`'),
  admins: names.default([]).describe('users and groups that may change owners and remove any crate'),
  ownership: z
    .enum(['first_publisher', 'rules'])
    .default('first_publisher')
    .describe(
      '`first_publisher`: owners decide per crate; `rules`: whoever may publish may also yank and own',
    ),
  packages: z
    .record(z.string().min(1), packageRule)
    .default({ '**': { access: ['$all'], publish: ['$authenticated'] } })
    .describe('rights by crate name: globs, first match wins; case, `-` and `_` are folded'),
  rules: z
    .enum(['private', 'crates_io'])
    .default('private')
    .describe(
      'what crates.io demands beyond integrity (description, licence …): `private` warns, `crates_io` refuses',
    ),
  registries: z
    .array(z.string())
    .default([])
    .describe('index URLs of other registries that published crates may depend on'),
  aliases: z
    .array(z.url())
    .default([])
    .describe(
      'old public URLs of this registry: dependencies that name one count as dependencies of this registry',
    ),
  limits,
})

/** Options as an operator writes them. */
export type OptionsInput = z.input<typeof optionsSchema>
/** Checked options with every default filled in. */
export type Options = z.output<typeof optionsSchema>
export type PackageRule = z.output<typeof packageRule>

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
  const options = result.data
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

function narrowRule(options: Options): string | undefined {
  return Object.entries(options.packages).find(([, rule]) => !isForAll(rule.access))?.[0]
}

function isForAll(access: readonly string[] | undefined): boolean {
  return access === undefined || access.some((name) => ALL_NAMES.has(name))
}

/** Verdaccio's spellings of everyone, deprecated ones included. */
export const ALL_NAMES: ReadonlySet<string> = new Set(['$all', '@all', 'all'])

function splitNames(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? value.split(/\s+/).filter(Boolean) : value
}

function parseByteSize(value: string | number): number {
  if (typeof value === 'number') return value
  const digits = value.match(/^\d+/)?.[0] ?? ''
  const unit = value.slice(digits.length).trim().toLowerCase()
  return Number(digits) * (BYTE_UNITS[unit.endsWith('b') || unit === '' ? unit : `${unit}b`] ?? 1)
}
