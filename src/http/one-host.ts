import type { Next } from 'koa'
import { CargoError } from '../errors.ts'
import type { CargoContext } from './context.ts'

/**
 * Refuses requests with more than one `Host`, as RFC 9112 (3.2) wants it: Node takes the first, a proxy before us may
 * have taken the last.
 */
export async function refuseSecondHost(ctx: CargoContext, next: Next): Promise<void> {
  const hosts = ctx.req.rawHeaders.filter((it, index) => index % 2 === 0 && /^host$/i.test(it))
  if (hosts.length > 1) {
    throw new CargoError('invalid_request', `there are ${hosts.length} \`Host\` headers: send exactly one`)
  }
  await next()
}
