import { hash, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { RateLimit } from '../options.ts'
import { networkOf } from '../protocol/network.ts'
import { createBuckets } from './buckets.ts'

/** An address may be that of a whole company: it has so many times the wrong credentials of one user name. */
const ADDRESS_TIMES = 5
/** Who sends the same wrong one again learns nothing, and is held up only when it goes on and on. */
const AGAIN_TIMES = 50
/** Credentials that were right, and how many milliseconds ago at most. */
const MAX_RIGHT = 50_000
const RIGHT_FOR = 24 * 60 * 60 * 1000

/** A credential, and where it came from. Secret: must never be logged or put into an error. */
export interface Attempt {
  /** The `Authorization` header. */
  readonly authorization: string
  readonly address: string
}

/**
 * Slows down whoever guesses. Only wrong credentials count: by address, by address and user name where there is one,
 * and each of them once, so that a machine with an expired token shuts out nobody but itself. What was right in the last
 * day is never held up, wherever it comes from, and nobody can lock a user out from elsewhere.
 */
export interface LoginLimit {
  /** @throws {CargoError} `too_many_requests` for a credential that is not to be tried now */
  mayTry(attempt: Attempt): void
  /** Takes note of whether it was right. */
  tried(attempt: Attempt, isRight: boolean): void
}

export interface LoginLimitDeps {
  readonly limit: RateLimit
  readonly monotonic: () => number
  /** What is thrown at who has to wait. */
  refuse(waitMs: number): Error
}

export function createLoginLimit({ limit, monotonic, refuse }: LoginLimitDeps): LoginLimit {
  if (limit === false) return { mayTry() {}, tried() {} }
  // Random for each process: what is in memory is worth nothing elsewhere.
  const secret = randomBytes(32).toString('base64')
  const print = (authorization: string) => hash('sha256', `${secret}${authorization}`, 'base64')
  const right = new LRUCache<string, true>({ max: MAX_RIGHT, ttl: RIGHT_FOR, perf: { now: monotonic } })
  const wrong = new LRUCache<string, true>({ max: MAX_RIGHT })
  const byCredential = createBuckets(limit, monotonic, AGAIN_TIMES)
  const byUser = createBuckets(limit, monotonic)
  const byAddress = createBuckets(limit, monotonic, ADDRESS_TIMES)

  return {
    mayTry({ authorization, address }) {
      const credential = print(authorization)
      if (right.has(credential)) return
      const network = networkOf(address)
      const waitMs = wrong.has(credential)
        ? byCredential.wait(credential)
        : Math.max(byAddress.wait(network), byUser.wait(userKey(network, authorization)))
      if (waitMs > 0) throw refuse(waitMs)
    },
    tried({ authorization, address }, isRight) {
      const credential = print(authorization)
      if (isRight) {
        right.set(credential, true)
        wrong.delete(credential)
        return
      }
      right.delete(credential)
      byCredential.take(credential)
      if (wrong.has(credential)) return
      wrong.set(credential, true)
      const network = networkOf(address)
      byAddress.take(network)
      if (userOf(authorization) !== undefined) byUser.take(userKey(network, authorization))
    },
  }
}

function userKey(network: string, authorization: string): string {
  return `${network} ${userOf(authorization) ?? ''}`
}

/** The user name of a `Basic` credential; whether it is well formed is for others to say. */
function userOf(authorization: string): string | undefined {
  const encoded = /^\s*basic[ \t]+([A-Za-z0-9+/]{1,4096})/i.exec(authorization)?.[1]
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8').split(':')[0]
}
