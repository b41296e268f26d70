import { etagOf } from '../registry/index-file.ts'
import { isFresh } from './conditional.ts'
import type { CargoContext } from './context.ts'

/** Answers a read with JSON, which clients may keep but must ask for again each time. */
export function sendJson(ctx: CargoContext, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value))
  const etag = etagOf(body)
  ctx.set('Cache-Control', 'no-cache')
  ctx.set('ETag', etag)
  if (isFresh(ctx.get('If-None-Match'), etag)) {
    ctx.status = 304
    return
  }
  ctx.type = 'json'
  ctx.body = body
}
