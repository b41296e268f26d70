import { z } from 'zod'
import { names } from './names.ts'
import { interval } from './units.ts'

const people = names.describe(
  'users and groups, as a list or separated by spaces; `$all`, `$authenticated`, `$anonymous`',
)

/** `name`, `glob@req`: which versions of which crates. */
const versionPattern = z
  .string()
  .regex(/^[^@\s:<>=~^]+(@[^:]+)?$/, 'must be `name`, `name@requirement`, or globs of names with them')

const denial = z
  .string()
  .regex(
    /^[^@\s:<>=~^]+(@[^:]+)?(:\s*\S[\s\S]*)?$/,
    'must be `name@requirement: reason`; requirement and reason may be left out, the `@` not',
  )

/** What a rule of `packages` says of the crates whose names match its key. */
export const packageRule = z
  .strictObject({
    access: people.optional().describe('who may read; default `$all`'),
    publish: people.optional().describe('who may publish, yank and own; default nobody'),
    unpublish: people.optional().describe('who may remove versions; default nobody'),
    proxy: names
      .optional()
      .describe('uplinks that are asked, in this order, for crates that are not local; default none'),
    shadow: z
      .enum(['refuse', 'allow', 'strict'])
      .optional()
      .describe(
        'first publish of a name that an uplink has: `refuse` (default), or with the uplink away accept it with a warning; `strict` refuses then too; `allow` never asks',
      ),
    min_age: interval
      .optional()
      .describe('versions of uplinks that are younger are served as yanked, so that nothing new picks them'),
    min_age_except: z
      .array(versionPattern)
      .optional()
      .describe('versions to which `min_age` does not apply: `name` or `name@requirement`'),
    deny: z
      .array(denial)
      .optional()
      .describe('versions of uplinks that are never served: `name@requirement: reason`'),
  })
  .describe('rights on the crates whose name matches the key, and where they come from')

export type PackageRule = z.output<typeof packageRule>
