import { CargoError } from '../errors.ts'
import type { Options } from '../options.ts'
import { networkOf } from '../protocol/network.ts'
import type { Caller } from './access.ts'
import { createBuckets } from './buckets.ts'
import { createLoginLimit, type LoginLimit } from './login-limit.ts'

/** What is limited, in the options' words. */
export type LimitName = keyof Options['rate_limits']

/** How often is too often; in memory, and for this process only. */
export interface RateLimits {
  /**
   * Counts a change that somebody asks for.
   * @throws {CargoError} `too_many_requests`
   */
  take(limit: Exclude<LimitName, 'login'>, caller: Caller): void
  readonly login: LoginLimit
}

export interface RateLimitsDeps {
  readonly limits: Options['rate_limits']
  readonly monotonic: () => number
  /** Told of every refusal. */
  onLimited(limit: LimitName): void
}

export function createRateLimits({ limits, monotonic, onLimited }: RateLimitsDeps): RateLimits {
  const buckets = {
    publish: createBuckets(limits.publish, monotonic),
    yank: createBuckets(limits.yank, monotonic),
  }
  return {
    take(limit, caller) {
      const waitMs = buckets[limit].take(clientOf(caller))
      if (waitMs === 0) return
      onLimited(limit)
      throw tooMany(`too many ${WHAT[limit]} of ${nameOf(caller)}`, waitMs)
    },
    login: createLoginLimit({
      limit: limits.login,
      monotonic,
      refuse(waitMs) {
        onLimited('login')
        return tooMany('too many wrong tokens or passwords from this address', waitMs)
      },
    }),
  }
}

const WHAT = { publish: 'publishes', yank: 'changes' } as const

/** A user, or an address where nobody is logged in; the two cannot be the same text. */
function clientOf({ principal, address = '' }: Caller): string {
  return principal === undefined ? `address ${networkOf(address)}` : `user ${principal.name}`
}

function nameOf({ principal }: Caller): string {
  return principal === undefined ? 'this address' : `user \`${principal.name}\``
}

function tooMany(what: string, waitMs: number): CargoError {
  const retryAfter = Math.max(1, Math.ceil(waitMs / 1000))
  return new CargoError('too_many_requests', `${what}: try again in ${retryAfter} s`, { retryAfter })
}
