import { z } from 'zod'
import { parseInterval } from './units.ts'

/** No flags: the pattern goes into the JSON Schema, which has none. */
const RATE = /^[1-9]\d{0,8}\/(\d{1,9}(\.\d{1,6})?)?(ms|[smhdwMy])$/

const WANTED = 'must be a number in a time, such as `60/m` or `100/15m`, `{ rate, burst }`, or false'
const rate = z.string().regex(RATE, 'must be a number in a time, such as `60/m`, `10/s` or `100/15m`')

/** Output: so many (`count`) in so many milliseconds, `burst` of them at once; `false` when there is no limit. */
const limit = (usual: { readonly rate: string; readonly burst: number }, what: string) =>
  z
    .union(
      [
        z.literal(false),
        rate,
        z.strictObject({
          rate: rate.describe(what),
          burst: z
            .int()
            .positive()
            .optional()
            .describe('so many of them at once; by default those of the rate'),
        }),
      ],
      WANTED,
    )
    .transform(toLimit)
    .prefault(usual)

/** How often what costs most may be asked for. */
export const rateLimits = z
  .strictObject({
    publish: limit(
      { rate: '20/s', burst: 10_000 },
      'publishes of one user, or address where nobody is logged in; `publish: 60/m` has a burst of 60, `publish: false` is no limit',
    ),
    yank: limit(
      { rate: '20/s', burst: 10_000 },
      'all other changes of one user, counted together: yanks, owners, removals, tokens',
    ),
    login: limit(
      { rate: '10/m', burst: 20 },
      'wrong credentials for one user name from one address; five times as many for all names from one address',
    ),
  })
  .prefault({})

export type RateLimit = ReturnType<typeof toLimit>

function toLimit(value: false | string | { readonly rate: string; readonly burst?: number | undefined }) {
  if (value === false) return value
  const { rate: text, burst } = typeof value === 'string' ? { rate: value } : value
  const [count = '', per = ''] = text.split('/')
  const perMs = parseInterval(/^\d/.test(per) ? per : `1${per}`)
  return { count: Number(count), perMs, burst: burst ?? Number(count) }
}
