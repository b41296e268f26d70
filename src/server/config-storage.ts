import { z } from 'zod'
import { interval } from '../options/units.ts'

const BUCKET = 'must be the name of a bucket'
const VARIABLE = 'must be the name of an environment variable'
const FOLDER = 'must be the name of a folder'

/** Segments of keys, with or without a final slash. */
const PREFIX = /^[A-Za-z0-9._+-]+(\/[A-Za-z0-9._+-]+)*\/?$/
const MAX_PREFIX = 200 // S3 takes 1024 bytes, keys of the registry 512

const variable = z.string(VARIABLE).min(1, VARIABLE).optional()

const s3 = z
  .strictObject({
    bucket: z
      .string(BUCKET)
      .regex(/^[^/\s]+$/, BUCKET)
      .describe('instead of `storage.fs`: bucket of everything that is kept, see below'),
    region: z
      .string()
      .min(1)
      .optional()
      .describe("default: the SDK's, such as `AWS_REGION`; with `endpoint`: `us-east-1`"),
    endpoint: z
      .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
      .refine((value) => !/[?#@]/.test(value), 'must have no user, query or fragment')
      .optional()
      .describe("URL of another S3 server than Amazon's"),
    prefix: z
      .string()
      .regex(PREFIX, 'must be words of `A-Za-z0-9._+-` with `/` between')
      .max(MAX_PREFIX)
      .transform((value) => value.replace(/\/?$/, '/'))
      .optional()
      .describe('stands before all keys, such as `cargo/`, so that several registries share a bucket'),
    force_path_style: z
      .boolean()
      .optional()
      .describe('whether the bucket is in the path of URLs, not in the host name; default: with `endpoint`'),
    access_key_id_env: variable.describe(
      "environment variable with the key's id; default: the SDK's chain (environment, profile, web identity, container, instance)",
    ),
    secret_access_key_env: variable.describe(
      'environment variable with the secret key, beside `access_key_id_env`',
    ),
    session_token_env: variable.describe('environment variable with the session token, if there is one'),
    timeout: interval
      .prefault('10s')
      .describe(
        'longest wait for an answer or for more of one; all tries of a request have half as long again',
      ),
    self_test: z
      .boolean()
      .default(true)
      .describe(
        'whether the start lets 64 writers create one object, 20 times, and stops when two of them win',
      ),
    single_writer: z
      .boolean()
      .default(false)
      .describe('`true`: for stores without conditional writes; one process, and no other, may write'),
    redirect: z
      .boolean()
      .default(false)
      .describe(
        '`true`: downloads are redirected to the bucket, by URLs that are good for a minute, see below',
      ),
  })
  .refine(
    (value) => (value.access_key_id_env === undefined) === (value.secret_access_key_env === undefined),
    'must have both of `access_key_id_env` and `secret_access_key_env`, or none',
  )

/** Where everything is kept: a folder, unless a bucket is named. */
export const storageSchema = z
  .strictObject({
    fs: z
      .strictObject({ path: z.string(FOLDER).min(1, FOLDER).describe('folder of everything that is kept') })
      .optional(),
    s3: s3.optional(),
  })
  .transform((value, ctx) => {
    if (value.fs !== undefined && value.s3 === undefined) return { fs: value.fs }
    if (value.s3 !== undefined && value.fs === undefined) return { s3: value.s3 }
    ctx.addIssue('must have one of `fs` (`--data` is a part of it) and `s3`, and not both')
    return z.NEVER
  })
  .prefault({ fs: { path: './registry-data' } })

/** The checked settings of the storage; the folder's name is as written. */
export type StorageConfig = z.output<typeof storageSchema>
export type S3Config = NonNullable<StorageConfig['s3']>
