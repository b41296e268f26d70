import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PlainAnswer } from '../../../src/server/plain/answer.ts'
import { answerPlainly, type PlainTimeouts } from '../../../src/server/plain/connections.ts'
import { until as eventually } from '../../support/until.ts'

/** Longer than anything takes, on a busy machine too. */
const PATIENCE_MS = 15_000
const PATIENT: PlainTimeouts = { header: 60_000, keepAlive: 60_000, idle: 60_000 }
const LARGE = Buffer.alloc(300_000, 'x')

interface Spec {
  readonly timeouts?: Partial<PlainTimeouts>
  /** Instead of those below `/plain` at once. */
  readonly answer?: (req: IncomingMessage, res: PlainAnswer) => boolean | Promise<boolean>
}

/** A server whose answers tell who made them; `left` are the URLs that node:http was left. */
async function serve(t: TestContext, { timeouts, answer = answerAtOnce }: Spec = {}) {
  const left: (string | undefined)[] = []
  const server = createServer((req, res) => void res.end(`node ${req.url}`))
  const listener = { answer, leave: (_: Socket, req: IncomingMessage) => void left.push(req.url) }
  answerPlainly(server, listener, { ...PATIENT, ...timeouts })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { server, left, open: () => openClient(t, (server.address() as AddressInfo).port) }
}

function answerAtOnce(req: IncomingMessage, res: PlainAnswer): boolean {
  if (req.url?.startsWith('/plain') !== true) return false
  end(req, res)
  return true
}

function end(req: IncomingMessage, res: PlainAnswer): void {
  const body = req.url?.endsWith('/large') ? LARGE : Buffer.from(`plain ${req.url}`)
  res.begin(200, 'X-First: 1\r\n', ['Content-Length', String(body.length)])
  res.end(req.method === 'HEAD' ? undefined : body)
}

async function openClient(t: TestContext, port: number) {
  const socket = connect(port, '127.0.0.1')
  t.after(() => void socket.destroy())
  let all = ''
  socket.on('data', (chunk) => {
    all += chunk
  })
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise((resolve) => socket.once('connect', resolve))
  return {
    socket,
    all: () => all,
    /** Everything, once the server has closed the connection. */
    async closed(): Promise<string> {
      const late = sleep(PATIENCE_MS, 'late', { ref: false })
      assert.equal(await Promise.race([closed, late]), undefined, `it stays open after ${all}`)
      return all
    },
    /** The bodies of so many answers, once they are there. */
    async answers(count: number): Promise<string[]> {
      const bodies = () => all.match(/(plain|node) \/[a-z0-9/]*(?=HTTP|$)/g) ?? []
      await until(() => bodies().length >= count)
      return [...bodies()]
    },
  }
}

/** Waits until it is so. */
function until(is: () => boolean): Promise<void> {
  return eventually(is, true, PATIENCE_MS)
}

function get(path: string, method = 'GET'): string {
  return `${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
}

test('answerPlainly() answers until the first request that is left to node:http, which goes on', async (t) => {
  const { open, left } = await serve(t)
  const client = await open()
  const paths = ['/plain/1', '/plain/2', '/other', '/plain/3']
  for (const [i, path] of paths.entries()) {
    client.socket.write(get(path))
    await client.answers(i + 1)
  }
  assert.deepEqual(await client.answers(4), [
    'plain /plain/1',
    'plain /plain/2',
    'node /other',
    'node /plain/3',
  ])
  assert.deepEqual(left, ['/other'])
  const [first = '', , third = ''] = client.all().split(/(?=HTTP\/1\.1)/)
  const lines = (head: string) =>
    head.split('\r\n').filter((line) => /^(HTTP|Date|Connection|Keep)/.test(line))
  assert.deepEqual(
    lines(first).map((line) => line.replace(/^Date: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$/, 'Date')),
    ['HTTP/1.1 200 OK', 'Date', 'Connection: keep-alive', 'Keep-Alive: timeout=60'],
  )
  assert.match(third, /\r\nDate: /)
})

test('answerPlainly() gives what comes in pieces, or with others, to node:http in order', async (t) => {
  const { open } = await serve(t)
  const request = get('/plain/1')
  for (let at = 1; at < request.length; at += 3) {
    const client = await open()
    client.socket.write(request.slice(0, at))
    await sleep(2)
    client.socket.write(request.slice(at))
    assert.equal((await client.answers(1)).length, 1)
    client.socket.destroy()
  }
  const client = await open()
  client.socket.write(get('/plain/1') + get('/plain/2') + get('/other') + get('/plain/3'))
  const got = (await client.answers(4)).map((answer) => answer.split(' ')[1])
  assert.deepEqual(got, ['/plain/1', '/plain/2', '/other', '/plain/3'])
})

test('answerPlainly() keeps the order of answers when requests come before those before them are answered', async (t) => {
  const waiting: (() => void)[] = []
  const { open } = await serve(t, {
    async answer(req, res) {
      await new Promise<void>((resolve) => waiting.push(resolve))
      return answerAtOnce(req, res)
    },
  })
  for (const second of ['/plain/2', '/other']) {
    const client = await open()
    client.socket.write(get('/plain/1'))
    await until(() => waiting.length === 1)
    client.socket.write(get(second))
    await sleep(20)
    client.socket.write(get('/plain/3'))
    await sleep(20)
    assert.equal(client.all(), '')
    const answering = setInterval(() => waiting.shift()?.(), 5)
    const got = (await client.answers(3)).map((answer) => answer.split(' ')[1])
    clearInterval(answering)
    assert.deepEqual(got, ['/plain/1', second, '/plain/3'])
    client.socket.destroy()
  }
})

test('a request that is left after a while is read by node:http, with what came behind it', async (t) => {
  const { open, left } = await serve(t, { answer: () => sleep(50, false) })
  const client = await open()
  client.socket.write(get('/1'))
  await sleep(10)
  client.socket.write(get('/2'))
  assert.deepEqual(await client.answers(2), ['node /1', 'node /2'])
  assert.deepEqual(left, ['/1'])
})

test('an answer has the body that it was given, and HEAD has none', async (t) => {
  const { open } = await serve(t)
  const client = await open()
  client.socket.write(get('/plain/large'))
  await until(() => client.all().length > LARGE.length)
  client.socket.write(get('/plain/large', 'HEAD'))
  await until(() => client.all().split('Content-Length: 300000').length === 3)
  client.socket.write(get('/plain/1'))
  assert.deepEqual(await client.answers(1), ['plain /plain/1'])
  assert.equal(client.all().split('x').length - 1, LARGE.length)
})

test('an answer of unknown length goes out in chunks', async (t) => {
  const { open } = await serve(t, {
    answer(req, res) {
      res.begin(req.url === '/plain/304' ? 304 : 200, '', ['ETag', '"a"'])
      if (req.url === '/plain/304') res.end()
      else if (req.url === '/plain/once') res.end(Buffer.from('whole'))
      else res.write(Buffer.from('plain /'), () => res.write(Buffer.from('chunks'), () => res.end()))
      return true
    },
  })
  const client = await open()
  client.socket.write(get('/plain/1'))
  await until(() => client.all().endsWith('0\r\n\r\n'))
  assert.match(
    client.all(),
    /\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nplain \/\r\n6\r\nchunks\r\n0\r\n\r\n$/,
  )
  client.socket.write(get('/plain/once'))
  await until(() => client.all().endsWith('\r\n\r\n5\r\nwhole\r\n0\r\n\r\n'))
  client.socket.write(get('/plain/304'))
  await until(() => /304 Not Modified\r\nETag: "a"\r\n(?:(?!Transfer).*\r\n)+\r\n$/.test(client.all()))
})

test('a client that has said all it has to say gets its answer', async (t) => {
  const { open } = await serve(t, {
    answer(req, res) {
      setTimeout(end, 50, req, res)
      return true
    },
  })
  const client = await open()
  client.socket.end(get('/plain/1'))
  assert.match(await client.closed(), /plain \/plain\/1$/)
})

test('an answer whose client has left is closed, and not finished', async (t) => {
  const seen: string[] = []
  const { open } = await serve(t, {
    answer(req, res) {
      res.on('finish', () => seen.push('finish'))
      res.on('close', () => seen.push(`close ${res.writableFinished} ${res.destroyed}`))
      if (req.url === '/plain/1') end(req, res)
      return true
    },
  })
  const client = await open()
  client.socket.write(get('/plain/1'))
  await client.answers(1)
  assert.deepEqual(seen, ['finish', 'close true true'])
  client.socket.write(get('/plain/2'))
  await sleep(20)
  client.socket.resetAndDestroy()
  await until(() => seen.length > 2)
  assert.deepEqual(seen.slice(2), ['close false true'])
})

test('a connection on which nothing comes is closed, with 408 if nothing ever came', async (t) => {
  const { open } = await serve(t, { timeouts: { header: 200, keepAlive: 100 } })
  const [silent, idle] = [await open(), await open()]
  idle.socket.write(get('/plain/1'))
  assert.match(await silent.closed(), /^HTTP\/1\.1 408 /)
  assert.match(await idle.closed(), /plain \/plain\/1$/)
})

test('requests behind one that is being answered are not taken into memory', async (t) => {
  const { server, open } = await serve(t, { answer: () => sleep(60_000, true, { ref: false }) })
  const connected = once(server, 'connection')
  const client = await open()
  const [socket] = (await connected) as [Socket]
  client.socket.write(get('/plain/1'))
  await until(() => socket.bytesRead > 0)
  client.socket.write(get('/plain/2').repeat(200_000))
  await until(() => socket.bytesRead > get('/plain/1').length)
  await sleep(300)
  assert.ok(socket.bytesRead < 512 * 1024, String(socket.bytesRead))
})

test('an answer that nobody reads is given up', async (t) => {
  let finished = false
  const { open } = await serve(t, {
    timeouts: { idle: 300 },
    answer(_, res) {
      res.on('finish', () => {
        finished = true
      })
      res.begin(200, '', ['Content-Length', String(64 * 1024 * 1024)])
      res.end(Buffer.alloc(64 * 1024 * 1024))
      return true
    },
  })
  const client = await open()
  client.socket.pause()
  client.socket.write(get('/plain/1'))
  await sleep(1_500)
  client.socket.resume()
  await client.closed()
  assert.equal(finished, false)
})

test('the server closes idle connections, and those with a running answer only when all are to be closed', async (t) => {
  const { server, open } = await serve(t, {
    answer: (req, res) => answerAtOnce(req, res) || sleep(60_000, true, { ref: false }),
  })
  const [idle, busy] = [await open(), await open()]
  idle.socket.write(get('/plain/1'))
  busy.socket.write(get('/other'))
  await idle.answers(1)
  await sleep(50)
  server.closeIdleConnections()
  await idle.closed()
  await sleep(50)
  assert.equal(busy.socket.closed, false)
  server.closeAllConnections()
  await busy.closed()
})
