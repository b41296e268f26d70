import { z } from 'zod'
import type { Action } from '../host.ts'
import { describeProblems, type OptionsInput, optionsSchema } from '../options.ts'
import { parseListen } from './listen.ts'

/** Setting that is missing, misspelt, of the wrong type or unusable; the message names every such key. */
export class ConfigError extends Error {
  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(`invalid configuration: ${problems.join('; ')}`, options)
    this.name = 'ConfigError'
  }
}

const ACTIONS = [
  'read',
  'publish',
  'yank',
  'owners',
  'unpublish',
  'admin',
] as const satisfies readonly Action[]

const ADDRESS = 'must be `HOST:PORT`, such as `127.0.0.1:8081` or `[::1]:8081`'

const listen = z.string(ADDRESS).transform((value, ctx) => {
  const address = parseListen(value)
  if (address !== undefined) return address
  ctx.addIssue(ADDRESS)
  return z.NEVER
})

/** The name of a file, which `what` says more about. */
const fileName = (what: string) =>
  z.string(`must be the name of ${what}`).min(1, `must be the name of ${what}`)

const publicUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .refine((value) => !/[?#@]/.test(value), 'must have no user, query or fragment')
  .transform((value) => value.replace(/\/+$/, ''))

const token = z
  .strictObject({
    token_env: z.string().min(1).optional(),
    token_sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits')
      .optional(),
    user: z.string().min(1),
    groups: z.array(z.string().min(1)).optional(),
    expires: z
      .string()
      .refine((value) => !Number.isNaN(Date.parse(value)), 'must be a time such as `2027-01-31T00:00:00Z`')
      .optional(),
    crates: z.array(z.string().min(1)).optional(),
    actions: z.array(z.enum(ACTIONS)).optional(),
  })
  .refine(
    (entry) => (entry.token_env === undefined) !== (entry.token_sha256 === undefined),
    'must have one of `token_env` and `token_sha256`, and not both',
  )

/** The plugin checks its options again; here they are checked so that an error names the whole key. */
const cargo = z.unknown().transform((value, ctx): OptionsInput => {
  const result = optionsSchema.safeParse(value ?? {})
  if (result.success) return (value ?? {}) as OptionsInput
  for (const { message, path, ...issue } of result.error.issues) {
    ctx.issues.push({ ...issue, message, path: [...path], input: value } as never)
  }
  return z.NEVER
})

const configSchema = z.strictObject({
  listen: listen.prefault('127.0.0.1:8081'),
  public_url: publicUrl.optional(),
  tls: z
    .strictObject({
      cert: fileName('a PEM file with the certificate, beside `tls.key`'),
      key: fileName('a PEM file with the private key, beside `tls.cert`'),
    })
    .optional(),
  storage: z
    .strictObject({ fs: z.strictObject({ path: fileName('a folder') }) })
    .prefault({ fs: { path: './registry-data' } }),
  redis: z.url({ protocol: /^rediss?$/, error: 'must be a redis or rediss URL' }).optional(),
  auth: z
    .strictObject({ htpasswd: fileName('a file').optional(), tokens: z.array(token).default([]) })
    .optional(),
  cargo: cargo.prefault({}),
})

/** The bundled server's checked settings; file names are as written. */
export type Config = z.output<typeof configSchema>

/**
 * Checks settings and fills in defaults.
 * @throws {ConfigError} naming each wrong key
 */
export function parseConfig(input: unknown): Config {
  const result = configSchema.safeParse(input ?? {})
  if (!result.success) throw new ConfigError(describeProblems(result.error))
  const config = result.data
  if (config.public_url === undefined && config.listen.wildcard) {
    throw new ConfigError([
      `\`public_url\`: must be set, since clients cannot connect to the \`listen\` address ${config.listen.host}`,
    ])
  }
  return config
}
