import { z } from 'zod'
import type { Action } from '../host.ts'
import { names } from '../options/names.ts'
import { interval } from '../options/units.ts'
import { describeProblems, type OptionsInput, optionsSchema } from '../options.ts'
import { isNetwork } from './client-address.ts'
import { storageSchema } from './config-storage.ts'
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

/** What the built-in configuration proxies: nobody asked for it, so where it cannot be reached it must not be in the way. */
export const CRATES_IO = { 'crates-io': { url: 'sparse+https://index.crates.io/', optional: true } } as const

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

const REDIS = 'must be a redis or rediss URL, or a list of those of a cluster'
const redisUrl = z.url({ protocol: /^rediss?$/, error: REDIS })

const timeout = interval.refine((ms) => ms >= 1, 'must be longer than nothing')

const PROXIES =
  'must be the addresses and networks of proxies, such as `127.0.0.1` or `10.0.0.0/8`, or how many there are in a row'
const trustProxy = z
  .union([z.int().nonnegative(), names], PROXIES)
  .refine((value) => typeof value === 'number' || value.every(isNetwork), PROXIES)

const token = z
  .strictObject({
    token_env: z
      .string()
      .min(1)
      .optional()
      .describe('the environment variable that holds it; when that is not set the server does not start'),
    token_sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits')
      .optional()
      .describe('instead of `token_env`: the SHA-256 of the token, in hexadecimal digits'),
    user: z.string().min(1).describe('whose token it is'),
    groups: z.array(z.string().min(1)).optional().describe('groups that the user is in'),
    expires: z
      .string()
      .refine((value) => !Number.isNaN(Date.parse(value)), 'must be a time such as `2027-01-31T00:00:00Z`')
      .optional()
      .describe('time from which on it is refused, such as `2027-01-31T00:00:00Z`'),
    crates: z.array(z.string().min(1)).optional().describe('globs of the crates that it is for; absent: all'),
    actions: z
      .array(z.enum(ACTIONS))
      .optional()
      .describe(
        `some of ${ACTIONS.map((action) => `\`${action}\``).join(', ')}; reading is always allowed, naming \`read\` limits it to \`crates\`; absent: all`,
      ),
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

/** The bundled server's settings; the README's table of them is made from it. */
export const configSchema = z.strictObject({
  listen: listen.prefault('127.0.0.1:8081').describe('address and port; port 0 is any free one'),
  public_url: publicUrl
    .optional()
    .describe(
      'what clients use, without the mount; not set: `http(s)://<listen>`; must be set when `listen` is `0.0.0.0` or `[::]`',
    ),
  trust_proxy: trustProxy
    .prefault([])
    .describe(
      'addresses and networks of the proxies in front, or how many they are in a row: their `X-Forwarded-For` says who the client is; without it all clients of a proxy count as one',
    ),
  h2c: z
    .boolean('must be true or false')
    .default(false)
    .describe(
      'whether clients of plain http that offer it, as cargo does, get HTTP/2; only for servers that no proxy is in front of',
    ),
  client_header_timeout: timeout
    .prefault('60s')
    .describe('longest wait for the head of a request, and for TLS'),
  keepalive_timeout: timeout
    .prefault('75s')
    .describe(
      'how long a connection stays open for the next request; longer than that of the proxy in front',
    ),
  send_timeout: timeout
    .prefault('2m')
    .describe('a connection or HTTP/2 stream on which nothing moves for so long is closed'),
  workers: z
    .int('must be a number of processes, 1 or more')
    .min(1, 'must be a number of processes, 1 or more')
    .max(1024, 'must be at most 1024')
    .default(1)
    .describe('processes that share the port; more than one are replicas of each other on one machine'),
  tls: z
    .strictObject({
      cert: fileName('a PEM file with the certificate, beside `tls.key`').describe(
        'PEM file with the certificate; with it the server speaks https: HTTP/2 and HTTP/1.1',
      ),
      key: fileName('a PEM file with the private key, beside `tls.cert`').describe(
        'PEM file with its private key',
      ),
    })
    .optional(),
  storage: storageSchema,
  redis: z
    .union([redisUrl, z.array(redisUrl).min(1)], REDIS)
    .optional()
    .describe(
      '`redis:` or `rediss:` URL of a cache that several processes share, or the list of some nodes of a cluster, such as `[redis://a:6379, redis://b:6379]`; otherwise in process',
    ),
  auth: z
    .strictObject({
      htpasswd: fileName('a file')
        .optional()
        .describe('file of users and passwords (bcrypt, apr1, sha); its changes are followed'),
      tokens: z.array(token).default([]).describe('list of tokens, see below'),
    })
    .optional(),
  cargo: cargo
    .prefault({})
    .describe(
      `options of the plugin, see below; without \`uplinks\` the one is \`crates-io: { url: '${CRATES_IO['crates-io'].url}', optional: true }\``,
    ),
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
  if (config.h2c) refuseH2c(config)
  return config
}

/** A proxy that passes the upgrade on would let its clients past its own rules. */
function refuseH2c({ tls, public_url, trust_proxy }: Config): void {
  const isProxied = typeof trust_proxy === 'number' ? trust_proxy > 0 : trust_proxy.length > 0
  const reason = tls
    ? 'with `tls` there is HTTP/2 without it'
    : isProxied
      ? '`trust_proxy` says that a proxy is in front, which has to speak HTTP/2 itself'
      : public_url?.startsWith('https:')
        ? 'an https `public_url` says that a proxy is in front, which has to speak HTTP/2 itself'
        : undefined
  if (reason !== undefined) throw new ConfigError([`\`h2c\`: must be off: ${reason}`])
}
