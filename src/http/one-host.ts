import type { Next } from 'koa'
import { CargoError } from '../errors.ts'
import type { HostRequest } from '../host.ts'
import type { CargoContext } from './context.ts'

/** How many `Host` headers a request has; Node's `headers` show the first one only. */
export function hostsOf({ rawHeaders = [] }: Pick<HostRequest, 'rawHeaders'>): number {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts
}

/** Refuses requests with more than one `Host`, as RFC 9112 (3.2) wants it: a proxy before us may have taken another. */
export async function refuseSecondHost(ctx: CargoContext, next: Next): Promise<void> {
  const hosts = hostsOf(ctx.req)
  if (hosts > 1)
    throw new CargoError('invalid_request', `there are ${hosts} \`Host\` headers: send exactly one`)
  await next()
}
