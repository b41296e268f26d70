import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Http2ServerResponse } from 'node:http2'
import { performance } from 'node:perf_hooks'
import type { Context } from 'koa'
import type { HostRequest } from '../host.ts'
import type { Asker } from '../http/caller.ts'
import type { OwnResponse } from '../http/fast/fast-path.ts'
import type { Caller } from '../registry/access.ts'
import type { ClientAddress } from './client-address.ts'
import { beginHttp2 } from './http2-head.ts'
import type { PlainAnswer } from './plain/answer.ts'

/** A request, from its head to the end of its answer. */
export interface ServerVisit extends Asker, OwnResponse {
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
export function workFor<T>(visit: ServerVisit, work: (visit: ServerVisit) => T): T {
  return current.run(visit, work, visit)
}

/** The id of the request that is being answered, for every log line that is written meanwhile. */
export function requestFields(): { readonly request?: string } {
  const visit = current.getStore()
  // A new object each time: the logger adds to it.
  return visit === undefined ? {} : { request: visit.request }
}

/** Makes visits of requests that node:http has read, and of plain ones. */
export interface Visits {
  /** `before`: the same request, if it was a plain one that was left to node:http. */
  of(req: IncomingMessage, res: ServerResponse, before?: HostRequest): ServerVisit
  ofPlain(req: HostRequest, res: PlainAnswer): ServerVisit
}

export function createVisits(addressOf: ClientAddress): Visits {
  let count = 0

  function requestOf({ headers: { 'x-request-id': given } }: HostRequest): string {
    return typeof given === 'string' && SANE_ID.test(given) ? given : `${OURS}-${(count++).toString(36)}`
  }

  return {
    of(req, res, before) {
      const request = requestOf(req)
      const begin: ServerVisit['begin'] = (status, head) => {
        if (res instanceof Http2ServerResponse) beginHttp2(res, status, request, head)
        else res.writeHead(status, ['X-Request-Id', request, ...head])
      }
      return { req, res, before, begin, request, address: addressOf(req), began: performance.now() }
    },
    ofPlain(req, res) {
      const request = requestOf(req)
      const begin: ServerVisit['begin'] = (status, head) =>
        res.begin(status, `X-Request-Id: ${request}\r\n`, head)
      return { req, res, begin, request, address: addressOf(req), began: performance.now() }
    },
  }
}
