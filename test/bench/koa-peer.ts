// The usual way: `node koa-peer.ts FOLDER PORT REDIS`. Koa with a router; each request asks Redis, by Keyv, for the file.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import KeyvRedis from '@keyv/redis'
import Router from '@koa/router'
import { Keyv } from 'keyv'
import Koa from 'koa'

interface Kept {
  readonly etag: string
  readonly body: string
}

const [, , folder = '', port, redis = ''] = process.argv
const keyv = new Keyv<Kept>({ store: new KeyvRedis(redis), namespace: 'koa-peer' })
for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  if (/\/download$|\.gz$/.test(path) || !statSync(join(folder, path)).isFile()) continue
  const body = readFileSync(join(folder, path), 'utf8')
  await keyv.set(path, { etag: createHash('sha256').update(body).digest('hex'), body })
}

const router = new Router()
router.get('/:first/:second/:name', async (ctx) => {
  const { first, second, name } = ctx['params']
  const kept = await keyv.get(`${first}/${second}/${name}`)
  if (kept === undefined) return
  ctx.status = 200
  ctx.type = 'text'
  ctx.etag = kept.etag
  if (ctx.fresh) ctx.status = 304
  else ctx.body = kept.body
})
new Koa().use(router.routes()).listen(Number(port), '127.0.0.1')
