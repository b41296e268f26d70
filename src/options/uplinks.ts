import { z } from 'zod'
import { connection, headers } from './connection.ts'
import { interval } from './units.ts'

/** One registry that crates come from, in Verdaccio's words. */
export const uplink = z
  .strictObject({
    url: z
      .string()
      .refine(isRegistryUrl, 'must be the http or https URL of a sparse index')
      .describe('its sparse index, with or without `sparse+` and the final slash'),
    maxage: interval
      .prefault('2m')
      .describe(
        'how long an index file counts as fresh; up to 10 min more it is renewed behind the answer, later before it',
      ),
    timeout: interval
      .prefault('10s')
      .describe('longest wait for an answer or for more of one (cargo gives up after 30s)'),
    max_fails: z
      .int()
      .nonnegative()
      .default(2)
      .describe(
        'so many failures in a row, 5xx included, and it is left alone, but for a probe every 5 s; 0: never',
      ),
    fail_timeout: interval.prefault('5m').describe('within this time they must happen'),
    optional: z
      .boolean()
      .default(false)
      .describe('as long as it has never answered, what it may have is just not there (404), instead of 503'),
    cache: z.boolean().default(true).describe('whether its `.crate` files are kept'),
    headers: headers.default({}).describe('sent, like the credential, to the origin of `url` only'),
    auth: z
      .strictObject({
        type: z
          .enum(['token', 'bearer', 'basic'])
          .default('token')
          .describe(
            'how it is sent: `token` is bare, as cargo does it; `basic` wants the base64 of `user:password`',
          ),
        token: z.string().min(1).optional().describe('the credential itself'),
        token_env: z
          .string()
          .min(1)
          .optional()
          .describe(
            'the environment variable that holds it; the bundled server and the plugin in Verdaccio read it',
          ),
      })
      .optional()
      .describe('credential, sent to the origin of `url` only'),
    ...connection,
    agent_options: z
      .strictObject({
        maxSockets: z.int().positive().default(40).describe('most connections'),
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
