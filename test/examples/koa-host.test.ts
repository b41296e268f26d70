import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { parseLines } from '../../src/protocol/index-lines.ts'
import { type Context, temporaryFolder } from '../support/cargo.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'

const MAIN = join(import.meta.dirname, '../../examples/koa-host/main.ts')
const TOKEN = 'token-of-ci'

/** Starts the example; its base URL. */
async function startHost(context: Context): Promise<string> {
  const folder = await temporaryFolder(context)
  const child = spawn(process.execPath, [MAIN], {
    env: { HOST_TOKEN: TOKEN, HOST_DATA: join(folder, 'data'), PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  context.after(async () => {
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
  })
  const lines = createInterface({ input: child.stdout })
  const [line] = await Promise.race([once(lines, 'line'), ended])
  return new URL(line).origin
}

function put(url: string, body: string | Buffer<ArrayBuffer>, token?: string): Promise<Response> {
  return fetch(url, { method: 'PUT', body, headers: token === undefined ? {} : { Authorization: token } })
}

test('the host serves raw files and crates side by side', async (t) => {
  const base = await startHost(t)
  const file = `${base}/raw/team/notes.txt`

  assert.equal((await put(file, 'hello', undefined)).status, 401)
  assert.equal((await put(file, 'hello', TOKEN)).status, 201)
  assert.equal((await put(file, 'other', TOKEN)).status, 409)
  assert.equal((await put(`${base}/raw/large`, Buffer.alloc(10_000_001), TOKEN)).status, 413)
  const found = await fetch(file)
  assert.equal(await found.text(), 'hello')
  assert.match(found.headers.get('etag') ?? '', /^"[0-9a-f]{64}"$/)
  for (const missing of ['team/other.txt', 'large']) {
    assert.equal((await fetch(`${base}/raw/${missing}`)).status, 404)
  }

  const body = Buffer.from(publishBody(crateFile('foo', '1.2.3')))
  const published = await put(`${base}/cargo/api/v1/crates/new`, body, TOKEN)
  assert.equal(published.status, 200, await published.text())
  const [entry] = parseLines(await (await fetch(`${base}/cargo/3/f/foo`)).text())
  assert.equal(entry?.vers, '1.2.3')
  const { dl } = (await (await fetch(`${base}/cargo/config.json`)).json()) as { dl: string }
  assert.ok(dl.startsWith(`${base}/cargo/`), dl)

  const metrics = await (await fetch(`${base}/metrics`)).text()
  assert.match(metrics, /^raw_requests_total\{status="201"\} 1$/m)
  assert.match(metrics, /^cargo_publishes_total 1$/m)
})
