import { IncomingMessage, type Server } from 'node:http'
import { Socket } from 'node:net'
import { offersH2c } from './offer.ts'

/** What is done with requests that offer `Upgrade: h2c`. */
export interface Diversion {
  /** Whether `take` gets the request; it may be asked twice. */
  takes(request: IncomingMessage): boolean
  /** Has the connection from now on; `head` are the bytes that came behind the request. */
  take(request: IncomingMessage, socket: Socket, head: Buffer): void
}

const CALLBACK = 'shouldUpgradeCallback'
/** Tells the plugin that cargo's requests get through: see `http/upgrade-listeners.ts`. */
const H2C_SEEN_TO = Symbol.for('verdaccio-cargo.h2c-seen-to')

/**
 * Keeps requests that offer `Upgrade: h2c` from the server's own listeners for `upgrade`, which see all others. Without
 * a diversion all of them are served as if they did not offer anything.
 */
export function divertH2c(server: Server, diversion?: Diversion): void {
  Reflect.set(server, H2C_SEEN_TO, true)
  // Node upgrades only where somebody listens.
  if (diversion !== undefined) server.on('upgrade', () => {})
  const own = diversion === undefined ? 0 : 1
  const hasOthers = () => server.listenerCount('upgrade') > own
  const takes = (request: IncomingMessage) => diversion?.takes(request) === true
  // Node 24.9 asks whether to upgrade; before, it always does.
  if (CALLBACK in server) decide(server, takes, hasOthers)
  const emit = server.emit
  server.emit = (event: string, ...values: unknown[]) => {
    const onwards = () => Reflect.apply(emit, server, [event, ...values])
    if (event !== 'upgrade') return onwards()
    const [request, socket, head] = values
    if (!(request instanceof IncomingMessage && socket instanceof Socket && head instanceof Buffer))
      return onwards()
    if (!offersH2c(request) && hasOthers()) return onwards()
    // Only where Node does not ask: the answer that is on its way has lost its connection.
    if (isAnswering(socket)) socket.destroy()
    else if (takes(request)) diversion?.take(request, socket, head)
    else replay(server, request, socket, head)
    return true
  }
}

function decide(
  server: Server,
  takes: (request: IncomingMessage) => boolean,
  hasOthers: () => boolean,
): void {
  const before: (request: IncomingMessage) => boolean = Reflect.get(server, CALLBACK)
  Reflect.set(server, CALLBACK, (request: IncomingMessage) =>
    offersH2c(request)
      ? !isAnswering(request.socket) && takes(request)
      : hasOthers() && before.call(server, request),
  )
}

/** Whether an earlier request of the connection waits for its answer: Node keeps it there, and has no public name for it. */
function isAnswering(socket: Socket): boolean {
  return (Reflect.get(socket, '_httpMessage') ?? undefined) !== undefined
}

/** Puts the request back before what follows it, without the offer, and lets the server read it again. */
export function replay(server: Server, request: IncomingMessage, socket: Socket, head: Buffer): void {
  socket.unshift(Buffer.concat([headOf(request), head]))
  server.emit('connection', socket)
}

function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i)
    if (!/^(connection|upgrade|http2-settings)$/i.test(name)) lines.push(`${name}: ${value}`)
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}
