import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Puts a server so far away; in a process of its own. */
export interface Distance {
  /** The server's URL from afar, without a path. */
  readonly origin: string
  stop(): Promise<void>
}

/** What goes to a port takes half of `roundTripMs`, and so does what comes back; a new connection takes all of it first. */
export async function startDistance(roundTripMs: number): Promise<Distance & { to(port: number): void }> {
  const child = fork(import.meta.filename, [String(roundTripMs)])
  const ended = once(child, 'exit')
  const [port] = await once(child, 'message')
  return {
    origin: `http://127.0.0.1:${port}`,
    to: (target) => child.send(target),
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

/** The process: passes everything on until its parent leaves. */
async function serve(roundTripMs: number): Promise<void> {
  let target = 0
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    pass(near, far, performance.now() + roundTripMs)
    pass(far, near, 0)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.on('disconnect', () => process.exit())
  process.on('message', (port) => {
    target = Number(port)
  })
  process.send?.((server.address() as AddressInfo).port)

  function pass(from: Socket, to: Socket, notBefore: number): void {
    let order = Promise.resolve()
    const later = (what: () => void) => {
      const due = Math.max(performance.now(), notBefore) + roundTripMs / 2
      order = order.then(() => sleep(Math.max(0, due - performance.now()))).then(what)
    }
    from.on('data', (chunk) => later(() => void to.write(chunk)))
    from.on('end', () => later(() => void to.end()))
    from.on('error', () => to.destroy())
  }
}

const [, file, argument] = process.argv
if (file === import.meta.filename && argument !== undefined) await serve(Number(argument))
