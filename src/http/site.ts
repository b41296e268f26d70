import type { CargoContext } from './context.ts'
import type { Site } from './pages/page.ts'

/** The site of a request, at the registry's base URL. */
export function siteAt({ state }: Pick<CargoContext, 'state'>, base: string): Site {
  // Nobody was found yet when the credential itself is refused.
  const user = state.caller?.principal?.name
  return { base, path: new URL(base).pathname.replace(/\/$/, ''), user }
}

/** The site of a request whose caller is known. */
export function siteOf(ctx: Pick<CargoContext, 'state'>): Site {
  return siteAt(ctx, ctx.state.caller.via)
}
