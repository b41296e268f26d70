import { connect } from 'node:net'

/** When an answer began and ended, in milliseconds. */
export interface Times {
  readonly first: number
  readonly last: number
}

/** What many answers are read into: nobody looks at them. */
const buffer = Buffer.alloc(256 * 1024)

/**
 * GETs over a connection of its own, which it leaves open as cargo does, and reads to the end, at as little cost as Node
 * can; throws unless it is a 200.
 */
export function timedGet(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Times> {
  const { hostname, port, host, pathname } = new URL(url)
  const fields = Object.entries({ Host: host, ...headers })
  const head = [`GET ${pathname} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`)]
  const began = performance.now()
  return new Promise((resolve, reject) => {
    let first = Number.NaN
    let left = Number.NaN
    const callback = (size: number) => {
      if (Number.isNaN(first)) {
        first = performance.now() - began
        left = sizeOf(buffer.toString('latin1', 0, size))
      }
      left -= size
      // Not more than was announced, and not less.
      if (!(left > 0)) socket.destroy()
      return true
    }
    const socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: { buffer, callback },
    })
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    socket.on('error', reject)
    socket.on('close', () => {
      if (left === 0) resolve({ first, last: performance.now() - began })
      else reject(new Error(`${url}: no 200, or not all of it`))
    })
  })
}

/** The bytes of an answer, head included; NaN: of none that is a 200. */
function sizeOf(start: string): number {
  const head = start.slice(0, start.indexOf('\r\n\r\n') + 4)
  const length = /^content-length: (\d+)\r$/im.exec(head)?.[1]
  return head.startsWith('HTTP/1.1 200 ') ? head.length + Number(length) : Number.NaN
}
