import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Context, Next } from 'koa'
import type { HostRequest } from '../host.ts'
import type { CargoPlugin } from '../plugin.ts'
import type { Caller } from '../registry/access.ts'
import type { ClientAddress } from './client-address.ts'
import type { PlainAnswer } from './plain/answer.ts'
import type { PlainListener } from './plain/connections.ts'
import { createVisits, currentVisit, type ServerVisit, workFor } from './visit.ts'

export interface FrontDeps {
  readonly plugin: Pick<CargoPlugin, 'atOnce'>
  /** The callback of an app that begins with {@link continueVisit}. */
  readonly koa: (req: IncomingMessage, res: ServerResponse) => Promise<void>
  readonly addressOf: ClientAddress
  /** Told of each visit when it begins. */
  readonly log: (visit: ServerVisit) => void
  /** Told of what could not be answered. */
  readonly onError: (error: unknown) => void
}

/** What a server calls for its requests. */
export interface Front {
  /** Answers whatever node:http has read. */
  readonly listener: RequestListener
  /** Answers what can be answered without Koa; absent where nothing can. */
  readonly plain?: PlainListener
}

/**
 * Sees to the id, the address and the log of each request, lets the plugin answer what it can at once, and leaves
 * everything else to Koa.
 *
 * Why: Koa's context and what hangs on it take as long as all of Node does for an index file.
 */
export function createFront({ plugin, koa, addressOf, log, onError }: FrontDeps): Front {
  const { atOnce } = plugin
  const visits = createVisits(addressOf)
  /** Plain requests that node:http reads again. */
  const left = new WeakMap<Socket, HostRequest>()

  function fail({ res }: ServerVisit, error: unknown): void {
    onError(error)
    res.destroy()
  }

  async function goOn(
    visit: ServerVisit,
    res: ServerResponse,
    answering: Promise<Caller | undefined> | undefined,
  ): Promise<void> {
    try {
      const caller = await answering
      if (caller === undefined) await koa(res.req, res)
      else visit.caller = caller
    } catch (error) {
      fail(visit, error)
    }
  }

  const listener: RequestListener = (req, res) => {
    const visit = visits.of(req, res, left.get(req.socket))
    left.delete(req.socket)
    log(visit)
    try {
      const caller = atOnce?.(visit)
      // Only what takes longer needs to be told apart from other work: that costs as much as to find most answers.
      if (caller === undefined || caller instanceof Promise) workFor(visit, () => goOn(visit, res, caller))
      else visit.caller = caller
    } catch (error) {
      fail(visit, error)
    }
  }

  function answer(req: HostRequest, res: PlainAnswer): boolean | Promise<boolean> {
    const visit = visits.ofPlain(req, res)
    log(visit)
    try {
      const caller = atOnce?.(visit)
      return caller instanceof Promise
        ? workFor(visit, () => goOnPlainly(visit, caller))
        : noteCaller(visit, caller)
    } catch (error) {
      fail(visit, error)
      return true
    }
  }

  async function goOnPlainly(visit: ServerVisit, answering: Promise<Caller | undefined>): Promise<boolean> {
    try {
      return noteCaller(visit, await answering)
    } catch (error) {
      fail(visit, error)
      return true
    }
  }

  const plain: PlainListener = { answer, leave: (socket, req) => void left.set(socket, req) }
  return { listener, ...(atOnce && { plain }) }
}

/** Whether there is one. */
function noteCaller(visit: ServerVisit, caller: Caller | undefined): boolean {
  if (caller === undefined) return false
  visit.caller = caller
  return true
}

/** Koa's first middleware: goes on with what is known of the request. */
export function continueVisit(ctx: Context, next: Next): Promise<void> {
  const visit = currentVisit()
  if (visit !== undefined) {
    visit.ctx = ctx
    ctx.request.ip = visit.address
    ctx.set('X-Request-Id', visit.request)
  }
  return next()
}
