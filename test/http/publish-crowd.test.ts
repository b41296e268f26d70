import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

test('more publishes at once than are inspected at a time all come through', async (t) => {
  const app = await startApp(t, { options: { limits: { publishes: 1 } } })
  const all = await Promise.all(Array.from({ length: 40 }, (_, n) => app.publish(crateFile(`crate-${n}`))))
  assert.deepEqual(
    all.map(({ status }) => status),
    Array(40).fill(200),
  )
})

test('one user whose uploads do not end does not keep others from publishing', async (t) => {
  const app = await startApp(t)
  const port = Number(new URL(app.url).port)
  const lines = [
    'PUT /cargo/api/v1/crates/new HTTP/1.1',
    'Host: x',
    'Authorization: ann',
    'Content-Length: 999',
  ]
  let begun = 0
  const sockets = Array.from({ length: 200 }, () => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`${lines.join('\r\n')}\r\n\r\n`, () => {
        begun += 1
      })
    })
    socket.on('error', () => {})
    return socket
  })
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  while (begun < sockets.length) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.equal((await app.publish(crateFile('foo'), 'bob')).status, 200)
  for (const socket of sockets) socket.destroy()
  assert.equal((await app.publish(crateFile('bar'), 'ann')).status, 200)
})
