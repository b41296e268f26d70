import assert from 'node:assert/strict'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { startApp } from '../../support/app.ts'
import { crateFile, publishBody } from '../../support/crate-file.ts'

/** Publishes without saying how long the body is. */
function publishChunked(url: string, headers: Readonly<Record<string, string>>) {
  return new Promise<{ status?: number | undefined; body: unknown }>((resolve, reject) => {
    const put = request(`${url}/api/v1/crates/new`, {
      method: 'PUT',
      headers: { ...headers, 'transfer-encoding': 'chunked' },
    })
    put.on('error', reject)
    put.on('response', (response) => {
      const status = response.statusCode
      text(response).then((body) => resolve({ status, body: JSON.parse(body) }), reject)
    })
    put.end(publishBody(crateFile()))
  })
}

test('publish() refuses a body of undeclared length', async (t) => {
  const app = await startApp(t)
  assert.deepEqual(await publishChunked(app.url, { authorization: 'ann' }), {
    status: 411,
    body: { errors: [{ detail: 'a publish needs a `content-length` header' }] },
  })
  assert.deepEqual(await app.stored(), [])
})

test('publish() asks who it is before how long', async (t) => {
  const app = await startApp(t)
  assert.deepEqual(await publishChunked(app.url, {}), {
    status: 401,
    body: {
      errors: [{ detail: 'publish needs a login: run `cargo login` with a token of this registry' }],
    },
  })
  assert.equal((await publishChunked(app.url, { authorization: 'reader' })).status, 403)
})
