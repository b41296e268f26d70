import type { Next } from 'koa'
import type { CargoContext } from './context.ts'

const INDEX = /^(?:\/index)?\/(?:config\.json|[12]\/[\w-]+|3\/[\w-]+\/[\w-]+|[\w-]{2}\/[\w-]{2}\/[\w-]+)$/
/** What is somebody's own is for no other site. */
const API = /^\/api\/v1\/(?!me(?:\/|$)|tokens\/)/

/**
 * Lets pages of any site read the index and the API, where everybody may: without a credential, which browsers do not
 * send to `*`.
 */
export function createCors(mount: string) {
  return async function shareWithOtherSites(ctx: CargoContext, next: Next): Promise<void> {
    const path = plainPath(ctx.path.slice(mount.length))
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD'
    if (isRead && (INDEX.test(path) || API.test(path))) ctx.set('Access-Control-Allow-Origin', '*')
    await next()
  }
}

/** The router takes any spelling of a character for the character: `%2d` for `-`. */
function plainPath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
