import type { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import { divertH2c } from './h2c/divert.ts'

/** Set to `true` on a request whose client waits for `100 Continue` before it sends the body. */
export const CONTINUE_WAITS: symbol = Symbol.for('verdaccio-cargo.continue-waits')

/**
 * Leaves it to the plugin when a client that asked (`Expect: 100-continue`) is told to send its body, so that a
 * publish that is refused anyway is not uploaded. Without this Node tells it at once.
 * `server` is one of `http`, `https` or `http2`; `listener` is the one it has for requests, such as `app.callback()`.
 */
export function answerContinue<Request extends object, Response>(
  server: EventEmitter,
  listener: (request: Request, response: Response) => unknown,
): void {
  server.on('checkContinue', (request: Request, response: Response) => {
    Reflect.set(request, CONTINUE_WAITS, true)
    listener(request, response)
  })
}

/**
 * Serves requests that offer `Upgrade: h2c`, as all of cargo's over plain http do, as if they did not, on a server where
 * something listens for `upgrade`: Node would hand them to that listener, and cargo would get no answer.
 * Web sockets and other upgrades stay with their listeners. `answerH2c` of `hosts/h2c` takes the offer instead.
 */
export function passH2c(server: Server): void {
  divertH2c(server)
}
