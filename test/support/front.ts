import type { IncomingMessage, ServerResponse } from 'node:http'
import type Koa from 'koa'
import type { CargoPlugin } from '../../src/plugin.ts'
import { createClientAddress } from '../../src/server/client-address.ts'
import { continueVisit, createFront } from '../../src/server/front.ts'
import type { ServerVisit } from '../../src/server/visit.ts'

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

/** The listener of an app in which the plugin is asked before Koa is, as in the bundled server. */
export function frontOf(
  app: Koa,
  plugin: CargoPlugin,
  onVisit: (visit: ServerVisit) => void = () => {},
): Listener {
  app.middleware.unshift(continueVisit)
  return createFront({
    ...{ plugin, koa: app.callback() },
    addressOf: createClientAddress([]),
    log: onVisit,
    onError: (error) => app.emit('error', error),
  })
}

/** The listener that the tests of routes run with; those in `test/http/fast` run them with the other one, too. */
export function listenerOf(app: Koa, plugin: CargoPlugin): Listener {
  return process.env['FAST_PATH'] === 'front' ? frontOf(app, plugin) : app.callback()
}
