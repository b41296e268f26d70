import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Context, Next } from 'koa'
import type { CargoPlugin } from '../plugin.ts'
import type { Caller } from '../registry/access.ts'
import type { ClientAddress } from './client-address.ts'
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

/**
 * What the http server calls: sees to the id, the address and the log of each request, lets the plugin answer what it
 * can at once, and leaves everything else to Koa.
 *
 * Why: Koa's context and what hangs on it take as long as all of Node does for an index file.
 */
export function createFront({ plugin, koa, addressOf, log, onError }: FrontDeps): RequestListener {
  const { atOnce } = plugin
  const visitOf = createVisits(addressOf)

  function fail({ res }: ServerVisit, error: unknown): void {
    onError(error)
    res.destroy()
  }

  async function goOn(visit: ServerVisit, answering: Promise<Caller | undefined> | undefined): Promise<void> {
    try {
      const caller = await answering
      if (caller === undefined) await koa(visit.req, visit.res)
      else visit.caller = caller
    } catch (error) {
      fail(visit, error)
    }
  }

  function answer(visit: ServerVisit): void {
    try {
      const caller = atOnce?.(visit)
      // Only what takes longer needs to be told apart from other work: that costs as much as to find most answers.
      if (caller === undefined || caller instanceof Promise) workFor(visit, () => goOn(visit, caller))
      else visit.caller = caller
    } catch (error) {
      fail(visit, error)
    }
  }

  return function front(req, res) {
    const visit = visitOf(req, res)
    log(visit)
    answer(visit)
  }
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
