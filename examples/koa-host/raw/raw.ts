import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Transform } from 'node:stream'
import type { Context, Next } from 'koa'
import { Counter, type Registry } from 'prom-client'
import type { Host } from 'verdaccio-cargo'
import type { Format } from '../plugin.ts'

export interface RawOptions {
  readonly mount?: string
  readonly max_bytes?: number
}

/** What every store takes as a key, without dots at the start of a name. */
const PATH = /^(\/[A-Za-z0-9_+-][A-Za-z0-9._+-]*)+$/
const MAX_PATH_LENGTH = 400

/** Files under paths: PUT once, GET by everyone. A file never changes, so whatever the cache says of it is right. */
export function raw(host: Host, { mount = '/raw', max_bytes = 100 * 1024 * 1024 }: RawOptions = {}): Format {
  const requests = host.metrics && requestCounter(host.metrics as unknown as Registry)

  async function put(ctx: Context, key: string): Promise<void> {
    const { size, sha256, body } = measured(ctx, max_bytes)
    const created = await host.storage.put(key, body, { ifAbsent: true })
    if (!created) ctx.throw(409, 'the file exists already')
    await host.cache?.set(key, sha256())
    ctx.status = 201
    ctx.body = { size: size(), sha256: sha256() }
  }

  async function get(ctx: Context, key: string): Promise<void> {
    const file = await host.storage.get(key)
    if (file === undefined) ctx.throw(404, 'no such file')
    const sha256 = await host.cache?.get(key)
    if (typeof sha256 === 'string') ctx.etag = sha256
    ctx.type = 'application/octet-stream'
    ctx.length = file.size
    ctx.body = file.body
  }

  async function serve(ctx: Context): Promise<void> {
    const path = ctx.path.slice(mount.length)
    const action = ctx.method === 'PUT' ? 'publish' : 'read'
    const who = await host.auth.authenticate(ctx.get('Authorization') || undefined, ctx.req)
    if (action === 'publish' && who === undefined) ctx.throw(401, 'uploads need a token')
    const allowed = who?.may?.(action) !== false && (await host.auth.authorize(who, action))
    if (!allowed) ctx.throw(403, 'not allowed')
    if (path.length > MAX_PATH_LENGTH || !PATH.test(path)) ctx.throw(400, 'invalid path')
    if (ctx.method === 'PUT') return put(ctx, path.slice(1))
    if (ctx.method === 'GET') return get(ctx, path.slice(1))
    ctx.throw(405, 'only GET and PUT', { headers: { Allow: 'GET, PUT' } })
  }

  async function rawFormat(ctx: Context, next: Next): Promise<void> {
    if (!ctx.path.startsWith(`${mount}/`)) return next()
    // Koa answers what is thrown after this returned, so that the status is known at the end only.
    once(ctx.res, 'close').then(() => requests?.inc({ status: String(ctx.status) }))
    await serve(ctx)
  }
  return Object.assign(rawFormat, { mount, close: async () => {} })
}

function requestCounter(metrics: Registry): Counter<'status'> {
  const name = 'raw_requests_total'
  const known = metrics.getSingleMetric(name) as Counter<'status'> | undefined
  return (
    known ?? new Counter({ name, help: 'Requests by status', labelNames: ['status'], registers: [metrics] })
  )
}

/** The request's body, counted and hashed while it is stored; it fails as soon as it is too large. */
function measured(ctx: Context, limit: number) {
  const hash = createHash('sha256')
  let size = 0
  let digest: string | undefined
  const body = new Transform({
    transform(chunk: Buffer, _, done) {
      size += chunk.length
      hash.update(chunk)
      done(size > limit ? Object.assign(new Error('too large'), { status: 413, expose: true }) : null, chunk)
    },
  })
  // A client that leaves must not be taken for one that has finished.
  ctx.req.on('error', (error) => body.destroy(error))
  ctx.req.pipe(body)
  return {
    body,
    size: () => size,
    sha256: () => {
      digest ??= hash.digest('hex')
      return digest
    },
  }
}
