import { connect, type Socket } from 'node:net'

/** So many connections are made at a time. */
const STEP = 200
/** What is too slow to end, and too fast for a pause. */
const DRIP_MS = 1_000

/** Connections on which next to nothing happens. */
export interface SlowClients {
  /** Those that the server has not closed. */
  open(): number
  /** What came on any of them. */
  readonly answers: readonly string[]
  /** All leave at once. */
  leave(): void
}

export interface SlowClientsSpec {
  readonly port: number
  readonly count: number
  /** What each sends at once. */
  readonly start?: string | Buffer
  /** What each sends from then on, again and again. */
  readonly drip?: string
  /** Whether they take what comes; default yes. */
  readonly reads?: boolean
}

/** Opens them all. */
export async function openSlowClients({
  port,
  count,
  start,
  drip,
  reads = true,
}: SlowClientsSpec): Promise<SlowClients> {
  const sockets: Socket[] = []
  const answers: string[] = []
  let open = 0
  function one(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        open += 1
        socket.once('close', () => {
          open -= 1
        })
        // The server may well reset what it is tired of.
        socket.off('error', reject).on('error', () => {})
        if (start !== undefined) socket.write(start)
        resolve()
      })
      socket.once('error', reject)
      if (reads) socket.on('data', (bytes) => void answers.push(bytes.toString('latin1')))
      sockets.push(socket)
    })
  }
  for (let left = count; left > 0; left -= STEP)
    await Promise.all(Array.from({ length: Math.min(STEP, left) }, one))
  const dripping = setInterval(() => {
    if (drip !== undefined) for (const socket of sockets) if (socket.writable) socket.write(drip)
  }, DRIP_MS)
  return {
    open: () => open,
    answers,
    leave() {
      clearInterval(dripping)
      for (const socket of sockets) socket.destroy()
    },
  }
}
