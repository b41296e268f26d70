import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import * as http2 from 'node:http2'
import type { Readable } from 'node:stream'
import test from 'node:test'
import { answerContinue, CONTINUE_WAITS } from '../../src/hosts/koa.ts'

type Incoming = Readable & { readonly url?: string | undefined }

interface Response {
  statusCode: number
  writeContinue(): void
  end(text: string): unknown
}

/** Takes a body from those that ask for `/yes`, and refuses others before it is sent. */
function listener(incoming: Incoming, response: Response): void {
  const waits = Reflect.get(incoming, CONTINUE_WAITS) === true
  if (incoming.url === '/no') {
    response.statusCode = 403
    response.end(`${waits}`)
    return
  }
  if (waits) response.writeContinue()
  incoming.resume()
  incoming.on('end', () => response.end(`${waits}`))
}

async function portOf(server: Server | http2.Http2Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

test('answerContinue() leaves `100 Continue` to the listener over HTTP/1.1', async (t) => {
  const server = createServer(listener)
  answerContinue(server, listener)
  const port = await portOf(server)
  t.after(() => server.close())
  const cases = [
    ['/yes', true, 200, 'true', true],
    ['/no', true, 403, 'true', false],
    ['/yes', false, 200, 'false', false],
  ] as const
  for (const [path, expect, status, body, continued] of cases) {
    const headers = { 'content-length': 4, ...(expect ? { expect: '100-continue' } : {}) }
    const client = request({ port, path, method: 'PUT', headers, agent: false })
    let told = false
    client.on('continue', () => {
      told = true
      client.end('body')
    })
    if (expect) client.flushHeaders()
    else client.end('body')
    const [response] = await once(client, 'response')
    const text = (await response.toArray()).join('')
    client.destroy()
    assert.deepEqual([response.statusCode, text, told], [status, body, continued], path)
  }
})

test('answerContinue() leaves `100 Continue` to the listener over HTTP/2', async (t) => {
  const server = http2.createServer(listener)
  answerContinue(server, listener)
  const port = await portOf(server)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  t.after(() => {
    session.destroy()
    server.close()
  })
  for (const [path, status, continued] of [
    ['/yes', 200, true],
    ['/no', 403, false],
  ] as const) {
    const stream = session.request({ ':method': 'PUT', ':path': path, expect: '100-continue' })
    let told = false
    stream.on('continue', () => {
      told = true
      stream.end('body')
    })
    const [headers] = await once(stream, 'response')
    const text = (await stream.toArray()).join('')
    assert.deepEqual([headers[':status'], text, told], [status, 'true', continued], path)
  }
})
