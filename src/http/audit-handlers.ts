import { parseAuditQuery } from '../protocol/audit-query.ts'
import type { AuditPage } from '../registry/audit/page.ts'
import type { Registry } from '../registry/registry.ts'
import type { RouteContext } from './handlers.ts'
import { queryOf } from './query.ts'

const LINES = 'application/x-ndjson'

/** Who did what, for administrators: as one JSON object, or an entry on each line. */
export function createAuditHandlers(registry: Pick<Registry, 'audit'>) {
  return {
    async audit(ctx: RouteContext) {
      const params = queryOf(ctx)
      const page = await registry.audit(ctx.state.caller, () => parseAuditQuery(params))
      const { entries, next } = page
      ctx.set('Cache-Control', 'no-store')
      ctx.vary('Accept')
      if (next !== undefined) ctx.set('Link', `<${nextUrl(ctx, params, next)}>; rel="next"`)
      const format = params.get('format') ?? (ctx.accepts('json', LINES) === LINES ? 'ndjson' : 'json')
      ctx.type = format === 'ndjson' ? LINES : 'json'
      ctx.body =
        format === 'ndjson' ? renderLines(page) : { entries, meta: { ...(next !== undefined && { next }) } }
    },
  }
}

export type AuditHandlers = ReturnType<typeof createAuditHandlers>

function nextUrl(ctx: RouteContext, params: URLSearchParams, next: string): string {
  const query = new URLSearchParams(params)
  query.set('after', next)
  return `${ctx.state.caller.via}/-/audit?${query}`
}

function renderLines({ entries }: AuditPage): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')
}
