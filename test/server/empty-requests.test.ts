import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { startServer } from '../support/server.ts'

const METHODS = ['PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS']
const PATHS = [
  '/api/v1/crates/new',
  '/api/v1/crates/foo',
  '/api/v1/crates/foo/owners',
  '/api/v1/crates/foo/1.0.0/unyank',
  '/api/v1/me/tokens',
  '/me',
  '/me/tokens',
  '/me/tokens/0123456789abcdef/revoke',
]
const BASIC = `Basic ${Buffer.from('joe:pw').toString('base64')}`

/** The whole answer to a request that declares no body, whose client says no more. */
function ask(url: string, method: string, path: string): Promise<string> {
  const { hostname, port, pathname } = new URL(url + path)
  const socket = connect(Number(port), hostname)
  socket.setTimeout(5_000, () => socket.destroy(new Error(`${method} ${path} was not answered`)))
  const head = [`${method} ${pathname} HTTP/1.1`, 'Host: a', 'Connection: close', `Authorization: ${BASIC}`]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  return text(socket)
}

test('a request without a body is answered at once, whatever it would need one for', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'empty-requests-'))
  t.after(() => rm(folder, { recursive: true }))
  const htpasswd = join(folder, 'htpasswd')
  await writeFile(htpasswd, `joe:{SHA}${createHash('sha1').update('pw').digest('base64')}\n`)
  const server = await startServer(t, { settings: { auth: { htpasswd } } })
  for (const method of METHODS) {
    for (const path of PATHS) assert.match(await ask(server.url, method, path), /^HTTP\/1\.1 4\d\d /)
  }
})
