import { connect, type Socket } from 'node:net'
import { type Ask, parseAnswer, type RawAnswer, type RawRequest } from './raw-answer.ts'

/** Connections at once, and requests on the way on each of them; what goes past node:http comes one by one. */
const CONNECTIONS = 8
const DEPTH = process.env['FAST_PATH'] === 'front' ? 1 : 16
/** So often a connection may be closed without the answer that it owes. */
const MAX_TRIES = 3
const PATIENCE_MS = 30_000

/** Sends requests over HTTP/1.1 to a port of this machine, many on each connection, byte for byte as they are. */
export function rawPipeline(port: number): Ask {
  return async (requests) => {
    const answers: RawAnswer[] = []
    const plain = requests.map((_, nth) => nth).filter((nth) => !isOdd(requests[nth]))
    const odd = requests.map((_, nth) => nth).filter((nth) => isOdd(requests[nth]))
    const queues = [batches(plain, DEPTH), batches(odd, 1)]
    const worker = async () => {
      const line: Line = { port, socket: undefined }
      for (const queue of queues) {
        for (let batch = queue.pop(); batch !== undefined; batch = queue.pop())
          await exchange(line, requests, batch, answers)
      }
      line.socket?.destroy()
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, worker))
    return answers
  }
}

interface Line {
  readonly port: number
  socket: Socket | undefined
}

/** What the parser of the server may refuse: it then forgets the answers to the requests before. */
function isOdd(request: RawRequest | undefined): boolean {
  if (request === undefined) return false
  return request.body !== undefined || !/^(http:\/)?\/[\x21-\x7e]*$/.test(request.target)
}

function batches(items: readonly number[], size: number): (readonly number[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) =>
    items.slice(n * size, (n + 1) * size),
  )
}

async function exchange(
  line: Line,
  requests: readonly RawRequest[],
  batch: readonly number[],
  answers: RawAnswer[],
): Promise<void> {
  let left = batch
  for (let tries = 0; left.length > 0; tries++) {
    const asked = left.flatMap((nth) => requests[nth] ?? [])
    if (tries === MAX_TRIES) throw new Error(`no answer to ${asked[0]?.method} ${asked[0]?.target}`)
    const got = await send(line, asked)
    for (const [n, answer] of got.entries()) answers[left[n] ?? 0] = answer
    left = left.slice(got.length)
    if (got.length > 0) tries = -1
  }
}

/** As many of the answers as come before the connection is closed. */
function send(line: Line, asked: readonly RawRequest[]): Promise<readonly RawAnswer[]> {
  line.socket ??= connect({ port: line.port, host: '127.0.0.1', noDelay: true })
  const { socket } = line
  const answers: RawAnswer[] = []
  let text = ''
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.destroy(), PATIENCE_MS)
    const done = () => {
      clearTimeout(timer)
      socket.removeAllListeners().on('error', () => {})
      resolve(answers)
    }
    const take = (isEnded: boolean) => {
      for (;;) {
        const found = parseAnswer(text, asked[answers.length]?.method ?? '', isEnded)
        if (found === undefined) return
        answers.push(found.answer)
        text = text.slice(found.end)
        if (answers.length === asked.length) {
          if (/^connection: close$/m.test(found.answer.head)) drop()
          return done()
        }
      }
    }
    const drop = () => {
      socket.destroy()
      line.socket = undefined
    }
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      take(false)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      line.socket = undefined
      take(true)
      done()
    })
    socket.write(Buffer.concat(asked.map((request) => render(request, line.port))))
  })
}

function render({ method, target, headers, body }: RawRequest, port: number): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, `Host: 127.0.0.1:${port}`]
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  if (body !== undefined) lines.push(`Content-Length: ${body.length}`)
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body ?? Buffer.alloc(0)])
}
