import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type Koa from 'koa'
import type { CargoPlugin } from '../../src/plugin.ts'
import { createClientAddress } from '../../src/server/client-address.ts'
import { continueVisit, createFront } from '../../src/server/front.ts'
import { answerPlainly } from '../../src/server/plain/connections.ts'
import type { ServerVisit } from '../../src/server/visit.ts'

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

const PATIENT = { header: 60_000, keepAlive: 5_000, idle: 120_000 }

/** A server of an app in which the plugin is asked before Koa is, as in the bundled server, and what it is made of. */
export function frontOf(
  app: Koa,
  plugin: CargoPlugin,
  onVisit: (visit: ServerVisit) => void = () => {},
): { readonly server: Server; readonly listener: Listener } {
  app.middleware.unshift(continueVisit)
  const { listener, plain } = createFront({
    ...{ plugin, koa: app.callback() },
    addressOf: createClientAddress([]),
    log: onVisit,
    onError: (error) => app.emit('error', error),
  })
  const server = createServer(listener)
  if (plain !== undefined) answerPlainly(server, plain, PATIENT)
  return { server, listener }
}

/** The server that the tests of routes run with; those in `test/http/fast` run them with the other one, too. */
export function serverOf(app: Koa, plugin: CargoPlugin): ReturnType<typeof frontOf> {
  if (process.env['FAST_PATH'] === 'front') return frontOf(app, plugin)
  const listener = app.callback()
  return { server: createServer(listener), listener }
}
