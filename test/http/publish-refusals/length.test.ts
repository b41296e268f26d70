import assert from 'node:assert/strict'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { startApp } from '../../support/app.ts'
import { crateFile, publishBody } from '../../support/crate-file.ts'

test('publish() refuses a body of undeclared length', async (t) => {
  const app = await startApp(t)
  const { status, body } = await new Promise<{ status?: number; body: string }>((resolve, reject) => {
    const put = request(`${app.url}/api/v1/crates/new`, {
      method: 'PUT',
      headers: { authorization: 'ann', 'transfer-encoding': 'chunked' },
    })
    put.on('error', reject)
    put.on('response', (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
    put.end(publishBody(crateFile()))
  })
  assert.equal(status, 411)
  assert.deepEqual(JSON.parse(body), { errors: [{ detail: 'a publish needs a `content-length` header' }] })
  assert.deepEqual(await app.stored(), [])
})
