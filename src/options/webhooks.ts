import { z } from 'zod'
import { type CargoEvent, EVENT_KINDS } from '../host.ts'
import { connection, headers } from './connection.ts'
import { interval } from './units.ts'

/** A delivery that takes longer keeps others waiting. */
const MAX_TIMEOUT_MS = 10_000
/** Bytes of a key, by the Standard Webhooks specification. */
const MIN_KEY_BYTES = 24
const MAX_KEY_BYTES = 64
/** Others are caused by anybody's reads, and only sent to who names them. */
const DEFAULT_KINDS: CargoEvent['kind'][] = ['publish', 'yank', 'unyank', 'owners', 'remove', 'integrity']

/** Somebody who is told of events, by signed POSTs. */
export const webhook = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
      .refine(
        hasOnlyAddress,
        'must have no user, password or fragment: `headers` may have an `authorization`',
      )
      .describe('where events are sent, http or https; redirects are not followed'),
    secret: z
      .string()
      .refine(
        isSecret,
        'must be the base64 of 24 to 64 bytes, as `openssl rand -base64 32` prints it, with or without `whsec_` before it',
      )
      .optional()
      .describe('key of the signatures: base64 of 24 to 64 bytes, with or without `whsec_` before it'),
    secret_env: z
      .string()
      .min(1)
      .optional()
      .describe(
        'the environment variable that holds it; the bundled server and the plugin in Verdaccio read it',
      ),
    events: z
      .array(z.enum(EVENT_KINDS))
      .min(1)
      .default(DEFAULT_KINDS)
      .describe(`kinds of events: some of ${EVENT_KINDS.map((kind) => `\`${kind}\``).join(', ')}`),
    crates: z
      .array(z.string().min(1))
      .optional()
      .describe('globs of crates, where case, `-` and `_` do not matter; absent: all'),
    headers: headers.default({}).describe('sent along'),
    timeout: interval
      .prefault('10s')
      .refine((ms) => ms > 0 && ms <= MAX_TIMEOUT_MS, 'must be at most 10s, and more than 0')
      .describe('longest time a delivery may take, at most 10s'),
    ...connection,
  })
  .describe('somebody who is told of events')

/** How one webhook is called; `timeout` is milliseconds. */
export type WebhookOptions = z.output<typeof webhook>

/** URLs that are there twice, and secrets that nobody has looked up: each as one phrase that names the key. */
export function webhookProblems(webhooks: readonly WebhookOptions[]): readonly string[] {
  const urls = webhooks.map(({ url }) => new URL(url).href)
  return webhooks.flatMap(({ secret }, n) => [
    ...(urls.indexOf(urls[n] ?? '') < n
      ? [`\`webhooks.${n}.url\`: must not be the URL of another webhook`]
      : []),
    ...(secret === undefined
      ? [`\`webhooks.${n}.secret\`: must be given where the host does not read \`secret_env\``]
      : []),
  ])
}

function hasOnlyAddress(value: string): boolean {
  const url = URL.parse(value)
  return url === null || `${url.username}${url.password}${url.hash}` === ''
}

function isSecret(value: string): boolean {
  const text = value.replace(/^whsec_/, '')
  const bytes = Buffer.from(text, 'base64')
  const isBase64 = bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '')
  return isBase64 && bytes.length >= MIN_KEY_BYTES && bytes.length <= MAX_KEY_BYTES
}
