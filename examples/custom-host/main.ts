import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import Koa from 'koa'
import { cargo, type Host } from 'verdaccio-cargo'
import { answerContinue } from 'verdaccio-cargo/hosts/koa'
import { auditFile } from './audit.ts'
import { jsonAuth } from './auth.ts'
import { mapCache } from './cache.ts'
import { jsonLogger } from './logger.ts'
import { hostMetrics } from './metrics.ts'
import { folderStore } from './storage.ts'

const { HOST_USERS = './users.json', HOST_DATA = './host-data', PUBLIC_URL, PORT = '8083' } = process.env

const server = createServer()
const logger = jsonLogger(process.stderr)
const metrics = hostMetrics()
const storage = await folderStore(HOST_DATA)
const audit = auditFile(join(HOST_DATA, '~audit.jsonl'), logger)

/** Configured, or where we listen: a `Host` header is what a client claims. */
const publicUrl = () => PUBLIC_URL ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const host: Host = {
  auth: jsonAuth(HOST_USERS),
  storage,
  cache: mapCache(),
  metrics,
  logger,
  publicUrl,
  emit: audit.emit,
}

const format = cargo(host, {
  admins: ['platform-team'],
  packages: { '**': { access: '$all', publish: '$authenticated' } },
})

const app = new Koa()
app.use(async function showMetrics(ctx, next) {
  if (ctx.path !== '/metrics') return next()
  ctx.body = await metrics.render()
})
app.use(format)

const listener = app.callback()
server.on('request', listener)
answerContinue<IncomingMessage, ServerResponse>(server, listener)
server.listen(Number(PORT), '127.0.0.1', () => {
  process.stdout.write(`${publicUrl()}${format.mount}/\n`)
})

process.once('SIGTERM', () => {
  // In this order: no requests, then what runs behind the answers, then what that needs.
  server.close(async () => {
    await format.close()
    await audit.close()
    await storage.close?.()
  })
  server.closeIdleConnections()
})
