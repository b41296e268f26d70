import type { EventEmitter } from 'node:events'

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
