import { CargoError } from '../errors.ts'
import type { CargoContext } from './context.ts'

/**
 * Refuses what another site makes a browser send: the browser would add the person's password by itself. Whoever
 * says nothing of an origin is no browser of these days.
 * @throws {CargoError} `forbidden`
 */
export function mustBeSameOrigin(ctx: CargoContext): void {
  const site = ctx.get('Sec-Fetch-Site')
  const origin = ctx.get('Origin')
  if ((site === '' || site === 'same-origin') && (origin === '' || isOwn(ctx, origin))) return
  throw new CargoError('forbidden', 'this was sent from another site: use the page of this registry')
}

/** A page cannot choose the `Host` that its browser sends; a proxy may have changed it. */
function isOwn(ctx: CargoContext, text: string): boolean {
  if (!URL.canParse(text)) return false
  const { origin, host } = new URL(text)
  return host === ctx.host.toLowerCase() || origin === new URL(ctx.state.caller.via).origin
}
