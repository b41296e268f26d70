import type { Next } from 'koa'
import { CargoError } from '../errors.ts'
import { hasToken } from '../protocol/token-text.ts'
import type { CargoContext } from './context.ts'

/**
 * Refuses requests with a token in their URL: taken for the name of a crate it would be sent to uplinks, and told in
 * errors.
 */
export async function refuseTokenInUrl(ctx: CargoContext, next: Next): Promise<void> {
  if (hasToken(ctx.url)) {
    throw new CargoError(
      'invalid_request',
      'there is a token in the URL, where others can read it: revoke it, and send tokens as `Authorization` only',
    )
  }
  await next()
}
