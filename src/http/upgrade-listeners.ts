import { IncomingMessage } from 'node:http'
import { type Server, Socket } from 'node:net'
import type { Context } from 'koa'
import type { Logger } from '../host.ts'

/** Set by hosts on servers where requests that offer `Upgrade: h2c` get through: see `hosts/h2c/divert.ts`. */
const H2C_SEEN_TO = Symbol.for('verdaccio-cargo.h2c-seen-to')

const WARNING =
  "something listens for `upgrade` on this http server, and gets cargo's requests instead of the registry (each offers `Upgrade: h2c`): " +
  'call `passH2c(server)` of `verdaccio-cargo/hosts/koa` or `answerH2c` of `verdaccio-cargo/hosts/h2c`, or create the server with ' +
  '`shouldUpgradeCallback: ({ headers }) => /websocket/i.test(headers.upgrade)` (Node 24.9 or newer)'

/**
 * Looks at the server of the first request whether cargo's requests over plain http would go to somebody else, and warns:
 * the plugin cannot see them, and cargo gets no answer.
 */
export function createUpgradeCheck(logger: Logger): (ctx: Context) => void {
  let isDone = false
  return function checkUpgrade({ req }) {
    if (isDone) return
    isDone = true
    // Cargo offers nothing over TLS, and what has come over HTTP/2 needs no upgrade.
    if (req.httpVersionMajor > 1 || 'encrypted' in req.socket) return
    const server: unknown = Reflect.get(req.socket, 'server')
    if (isServer(server) && takesH2c(server)) logger.warn({}, WARNING)
  }
}

function isServer(value: unknown): value is Server {
  return typeof value === 'object' && value !== null && 'listenerCount' in value
}

function takesH2c(server: Server): boolean {
  if (server.listenerCount('upgrade') === 0 || Reflect.get(server, H2C_SEEN_TO) === true) return false
  const decides: unknown = Reflect.get(server, 'shouldUpgradeCallback')
  return typeof decides !== 'function' || Reflect.apply(decides, server, [cargosOffer()]) !== false
}

function cargosOffer(): IncomingMessage {
  const offer = new IncomingMessage(new Socket())
  offer.method = 'GET'
  offer.url = '/'
  Object.assign(offer.headers, { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' })
  return offer
}
