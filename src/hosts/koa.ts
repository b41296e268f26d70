import type { EventEmitter } from 'node:events'
import { IncomingMessage, type Server } from 'node:http'
import { Socket } from 'node:net'

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
 * Web sockets and other upgrades stay with their listeners.
 */
export function passH2c(server: Server): void {
  // Node 24.9 asks whether to upgrade; before, it always does.
  if (CALLBACK in server) passByCallback(server)
  else passByReplay(server)
}

const CALLBACK = 'shouldUpgradeCallback'

function passByCallback(server: Server): void {
  const before: (request: IncomingMessage) => boolean = Reflect.get(server, CALLBACK)
  Reflect.set(
    server,
    CALLBACK,
    (request: IncomingMessage) => !offersH2c(request) && before.call(server, request),
  )
}

/** Puts the request back before what follows it, without the offer, and lets the server read it again. */
function passByReplay(server: Server): void {
  const emit = server.emit
  server.emit = (event: string, ...values: unknown[]) => {
    const [request, socket, rest] = values
    if (event !== 'upgrade' || !(request instanceof IncomingMessage) || !offersH2c(request))
      return Reflect.apply(emit, server, [event, ...values])
    if (!(socket instanceof Socket) || !(rest instanceof Uint8Array)) return false
    socket.unshift(Buffer.concat([headOf(request), rest]))
    return server.emit('connection', socket)
  }
}

function offersH2c({ headers }: IncomingMessage): boolean {
  return /\bh2c\b/i.test(headers.upgrade ?? '') && !/\bwebsocket\b/i.test(headers.upgrade ?? '')
}

function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i)
    if (!/^(connection|upgrade|http2-settings)$/i.test(name)) lines.push(`${name}: ${value}`)
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}
