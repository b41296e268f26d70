import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { type App, startApp } from '../support/app.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'

const MiB = 1024 * 1024

/** A connection on which a test writes what it likes. */
interface RawClient {
  readonly socket: Socket
  /** Everything that was received, once it has `text` in it. */
  received(text: string): Promise<string>
  /** Everything that was received, once the server closed the connection. */
  closed(): Promise<string>
}

function rawClient(context: { after(done: () => void): void }, app: App): RawClient {
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1')
  context.after(() => socket.destroy())
  let all = ''
  const ended = new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('end', resolve)
  })
  ended.catch(() => {})
  socket.on('data', (chunk) => {
    all += chunk
  })
  return {
    socket,
    async received(text) {
      while (!all.includes(text)) {
        await new Promise((resolve, reject) => {
          socket.once('data', resolve)
          socket.once('end', () => reject(new Error(`the connection ended after ${all}`)))
        })
      }
      return all
    },
    async closed() {
      await ended
      return all
    },
  }
}

function head(length: number | string, ...lines: readonly string[]): string {
  const all = ['PUT /cargo/api/v1/crates/new HTTP/1.1', 'Host: x', `Content-Length: ${length}`, ...lines]
  return `${all.join('\r\n')}\r\n\r\n`
}

test('a body that is cut off by its sender stores nothing', async (t) => {
  const app = await startApp(t)
  const body = publishBody(crateFile())
  const { socket, closed } = rawClient(t, app)
  socket.write(head(body.length, 'Authorization: ann'))
  socket.end(body.subarray(0, -10))
  await closed()
  assert.deepEqual(await app.stored(), [])
})

test('a refusal is read by a client that is still sending, then the connection closes', async (t) => {
  const app = await startApp(t)
  const { socket, received, closed } = rawClient(t, app)
  const length = 8 * MiB
  socket.write(head(length, 'Authorization: reader'))
  socket.write(Buffer.alloc(MiB))
  const early = await received('\r\n\r\n{')
  assert.match(early, /^HTTP\/1\.1 403 Forbidden\r\n/)
  assert.match(early, /\r\nConnection: close\r\n/)
  for (let sent = MiB; sent < length; sent += MiB) {
    await new Promise<void>((resolve, reject) => {
      socket.write(Buffer.alloc(MiB), (error) => (error ? reject(error) : resolve()))
    })
  }
  const answer = await closed()
  assert.match(answer, /\{"errors":\[\{"detail":"user `reader` may not publish .*"\}\]\}$/)
})

test('a refusal in the middle of the body is read as well', async (t) => {
  const app = await startApp(t)
  assert.equal((await app.publish(crateFile())).status, 200)
  const before = await app.stored()
  const body = publishBody(crateFile())
  const { socket, closed } = rawClient(t, app)
  socket.write(head(body.length + 4 * MiB, 'Authorization: ann'))
  socket.write(Buffer.concat([body, Buffer.alloc(4 * MiB)]))
  const answer = await closed()
  assert.match(answer, /^HTTP\/1\.1 409 Conflict\r\n/)
  assert.match(answer, /already exists"\}\]\}$/)
  assert.deepEqual(await app.stored(), before)
})

test('a client that waits is refused without being told to go on', async (t) => {
  const app = await startApp(t)
  const { socket, closed } = rawClient(t, app)
  socket.write(head(MiB, 'Authorization: reader', 'Expect: 100-continue'))
  const answer = await closed()
  assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/)
})

test('a client that waits is told to go on when it may publish', async (t) => {
  const app = await startApp(t)
  const body = publishBody(crateFile())
  const { socket, received } = rawClient(t, app)
  socket.write(head(body.length, 'Authorization: ann', 'Expect: 100-continue'))
  assert.equal(await received('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n')
  socket.write(body)
  assert.match(await received('HTTP/1.1 200 OK'), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
  assert.equal((await app.stored('crates/')).length, 1)
})

test('a length that is no number is refused', async (t) => {
  const app = await startApp(t)
  for (const length of ['-1', '1, 2', '0x10', '']) {
    const { socket, closed } = rawClient(t, app)
    socket.end(head(length, 'Authorization: ann'))
    assert.match(await closed(), /^HTTP\/1\.1 4\d\d /, length)
  }
  assert.deepEqual(await app.stored(), [])
})

test('one connection serves a request after another', async (t) => {
  const app = await startApp(t)
  const body = publishBody(crateFile())
  const { socket, received } = rawClient(t, app)
  socket.write(head(body.length, 'Authorization: ann'))
  socket.write(body)
  await received('"other":[]}}')
  socket.write('GET /cargo/3/f/foo HTTP/1.1\r\nHost: x\r\n\r\n')
  const both = await received('"vers":"1.0.0"')
  assert.equal(both.match(/HTTP\/1\.1 200 OK/g)?.length, 2)
})
