import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import type { Context } from 'koa'
import type { Visit } from '../http/fast/fast-path.ts'
import type { Caller } from '../registry/access.ts'
import type { ClientAddress } from './client-address.ts'

/** A request, from its head to the end of its answer. */
export interface ServerVisit extends Visit {
  /** The client's own id when that is sane. */
  readonly request: string
  /** When it came, in milliseconds on a clock that never jumps. */
  readonly began: number
  /** Who asked, where Koa was not needed. */
  caller?: Caller
  /** Where it was. */
  ctx?: Context
}

/** Request ids of others are taken over only when they can do no harm in a log or header. */
const SANE_ID = /^[A-Za-z0-9._:+/=-]{1,128}$/

/** What the ids that this process gives begin with: a UUID for each request would be a twentieth of all its garbage. */
const OURS = randomBytes(12).toString('hex')

const current = new AsyncLocalStorage<ServerVisit>()

/** The visit that is being worked for. */
export function currentVisit(): ServerVisit | undefined {
  return current.getStore()
}

/** Does `work` for a visit, and whatever follows from it. */
export function workFor(visit: ServerVisit, work: (visit: ServerVisit) => unknown): void {
  current.run(visit, work, visit)
}

/** The id of the request that is being answered, for every log line that is written meanwhile. */
export function requestFields(): { readonly request?: string } {
  const visit = current.getStore()
  // A new object each time: the logger adds to it.
  return visit === undefined ? {} : { request: visit.request }
}

export function createVisits(addressOf: ClientAddress) {
  let count = 0
  return function visitOf(req: IncomingMessage, res: ServerResponse): ServerVisit {
    const given = req.headers['x-request-id']
    const request =
      typeof given === 'string' && SANE_ID.test(given) ? given : `${OURS}-${(count++).toString(36)}`
    const head = ['X-Request-Id', request]
    return { req, res, address: addressOf(req), head, request, began: performance.now() }
  }
}
