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
    access: people
      .prefault('$all')
      .describe('who may read: users and groups, or `$all`, `$authenticated`, `$anonymous`'),
    publish: people.optional().describe('who may publish, yank and own; absent: nobody'),
    unpublish: people
      .optional()
      .describe('who may remove versions and crates, if they own them; absent: nobody'),
    proxy: names
      .optional()
      .describe('uplinks that are asked, in this order, for crates that are not local; absent: none'),
    shadow: z
      .enum(['refuse', 'allow', 'strict'])
      .default('refuse')
      .describe(
        'first publish of a name that an uplink has: refused; with the uplink away it is accepted with a warning, or refused too (`strict`); `allow`: never asked. Cargo itself looks the name up first: with the uplink away it gets 503 and stops, unless the uplink is `optional` and was never reached, or the rule has no `proxy`',
      ),
    min_age: interval
      .prefault(0)
      .describe(
        'younger versions of uplinks are served as yanked: nothing new picks them, lock files keep building, `cargo update --precise` works',
      ),
    min_age_except: z
      .array(versionPattern)
      .optional()
      .describe('versions to which that does not apply: `serde`, `serde@1.0.5`, `tokio@>=1.40, <2`'),
    deny: z
      .array(denial)
      .optional()
      .describe(
        'versions of uplinks that are never served: `name@requirement: reason`. The name may be a glob; it alone means all versions, as `@*` does; `openssl@<2` leaves pre-releases out, as Rust does. Cargo shows the reason only when nothing of a crate is left: `explain` tells it always',
      ),
  })
  .describe('rights on the crates whose name matches the key, and where they come from')

export type PackageRule = z.output<typeof packageRule>
