import { etagOf } from '../registry/index-file.ts'
import { isFresh } from './conditional.ts'
import type { CargoContext } from './context.ts'

/** Answers a read with text of a media type; clients may keep it, but must ask for it again each time. */
export function sendFresh(ctx: CargoContext, type: string, text: string): void {
  const body = Buffer.from(text)
  const etag = etagOf(body)
  ctx.set('Cache-Control', 'no-cache')
  ctx.set('ETag', etag)
  if (isFresh(ctx.get('If-None-Match'), etag)) {
    ctx.status = 304
    return
  }
  ctx.type = type
  ctx.body = body
}
