import { z } from 'zod'
import { interval } from './units.ts'

const proxyUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' })

/** One registry that crates come from, in Verdaccio's words. */
export const uplink = z
  .strictObject({
    url: z
      .string()
      .refine(isRegistryUrl, 'must be the http or https URL of a sparse index')
      .describe('the sparse index, with or without `sparse+` and the final slash'),
    maxage: interval.prefault('2m').describe('how long an index file counts as fresh; default 2m'),
    timeout: interval
      .prefault('10s')
      .describe('longest wait for an answer, or for more of one; default 10s (cargo gives up after 30s)'),
    max_fails: z
      .int()
      .nonnegative()
      .default(2)
      .describe('failures in a row, 5xx included, after which it is left alone; 0: never; default 2'),
    fail_timeout: interval.prefault('5m').describe('within this time they must happen; default 5m'),
    optional: z
      .boolean()
      .default(false)
      .describe(
        'whether crates are just not there, instead of 503, as long as it has never answered; default false',
      ),
    cache: z.boolean().default(true).describe('whether its `.crate` files are kept; default true'),
    headers: z
      .record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be a header name'), z.string())
      .default({})
      .describe('sent to the origin of `url` only'),
    auth: z
      .strictObject({
        type: z
          .enum(['token', 'bearer', 'basic'])
          .default('token')
          .describe('`token` is sent bare, as cargo does'),
        token: z.string().min(1).optional(),
        token_env: z.string().min(1).optional().describe('the environment variable that holds the token'),
      })
      .optional()
      .describe('credential, sent to the origin of `url` only'),
    ca: z.string().min(1).optional().describe('trusted certificates, in PEM or the file with them'),
    strict_ssl: z.boolean().default(true).describe('whether certificates are verified; default true'),
    http_proxy: proxyUrl.optional(),
    https_proxy: proxyUrl.optional(),
    no_proxy: z.string().optional().describe('hosts and domains, separated by commas, reached directly'),
    agent_options: z
      .strictObject({
        maxSockets: z.int().positive().default(40).describe('most connections; default 40'),
      })
      .prefault({}),
  })
  .describe('a registry that crates come from')

/** How one uplink is reached and treated; intervals are milliseconds. */
export type UplinkOptions = z.output<typeof uplink>

function isRegistryUrl(value: string): boolean {
  const bare = value.trim().replace(/^sparse\+/i, '')
  return /^https?:\/\//i.test(bare) && URL.canParse(bare)
}
