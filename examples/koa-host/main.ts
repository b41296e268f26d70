import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Keyv from 'keyv'
import Koa from 'koa'
import { Registry } from 'prom-client'
import type { Host } from 'verdaccio-cargo'
import { createAuth } from 'verdaccio-cargo/hosts/auth'
import { fsStorage } from 'verdaccio-cargo/hosts/fs'
import { answerContinue } from 'verdaccio-cargo/hosts/koa'
import { checkPlugin, type Format, findPlugin, startFormat } from './plugin.ts'
import { shareHost } from './share.ts'

const { HOST_TOKEN, HOST_DATA = './host-data', PORT = '8082' } = process.env
if (!HOST_TOKEN) throw new Error('HOST_TOKEN is not set: it will be the token of the user `ci`')

/** Which formats, where they are found, and their options. */
const FORMATS = [
  { plugin: new URL(import.meta.resolve('verdaccio-cargo/plugin.json')), options: { admins: ['ci'] } },
  { plugin: new URL('raw/plugin.json', import.meta.url), options: { max_bytes: 10_000_000 } },
]

const metrics = new Registry()
const app = new Koa()
const server = createServer()

const publicUrl = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const host: Host = {
  auth: createAuth({ staticTokens: [{ token: HOST_TOKEN, user: 'ci' }] }),
  storage: fsStorage(HOST_DATA),
  // In process; `new Keyv(new KeyvRedis(url))` of @keyv/redis shares it with the host's other processes.
  cache: new Keyv(),
  metrics,
  publicUrl,
}

const formats: Format[] = []
for (const { plugin: url, options } of FORMATS) {
  const plugin = await findPlugin(url)
  const share = shareHost(host, plugin.format)
  checkPlugin(plugin, share, options)
  formats.push(await startFormat(plugin, share, options))
}

app.use(async function showMetrics(ctx, next) {
  if (ctx.path !== '/metrics') return next()
  ctx.type = metrics.contentType
  ctx.body = await metrics.metrics()
})
for (const format of formats) app.use(format)

const listener = app.callback()
server.on('request', listener)
answerContinue<IncomingMessage, ServerResponse>(server, listener)

server.listen(Number(PORT), '127.0.0.1', () => {
  for (const { mount } of formats) process.stdout.write(`${publicUrl()}${mount}/\n`)
})
process.once('SIGTERM', () => {
  server.close(() => Promise.all(formats.map((format) => format.close())))
  server.closeIdleConnections()
})
