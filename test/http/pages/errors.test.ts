import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApp } from '../../support/app.ts'
import { assertPage } from '../../support/page.ts'
import { faultyStore } from '../faulty-store.ts'
import { JOE, startTokenApp } from '../token-app.ts'

const CHALLENGE = 'Basic realm="cargo registry", charset="UTF-8"'

test('where reads need a login, a browser is asked for a password on every page', async (t) => {
  const { app, token } = await startTokenApp(t, { options: { auth_required: true } })
  for (const path of ['/-', '/-/', '/-/?q=x', '/-/crates/foo', '/-/crates/foo/1.0.0', '/-/nothing/at/all']) {
    for (const as of [undefined, 'Basic eDp5', 'Bearer x']) {
      const answer = await app.request(path, as === undefined ? {} : { as })
      assert.deepEqual([answer.status, answer.headers.get('www-authenticate')], [401, CHALLENGE], path)
      assertPage(answer)
    }
  }
  const { token: text } = await token(JOE)
  for (const as of [JOE, text, `Basic ${Buffer.from(`any:${text}`).toString('base64')}`]) {
    const answer = await app.request('/-/', { as })
    assert.equal(answer.status, 200)
    assertPage(answer, 'private, no-cache')
    assert.match(answer.text, /Signed in as joe/)
  }
})

test('a host without a page for tokens has its pages nevertheless', async (t) => {
  const app = await startApp(t, { options: { auth_required: true } })
  const answer = await app.request('/-/')
  assert.deepEqual([answer.status, answer.headers.get('www-authenticate')], [401, CHALLENGE])
  assert.equal((await app.request('/-/', { as: 'ann' })).status, 200)
})

test('what fails below /-/ is told as a page, and elsewhere as ever', async (t) => {
  const app = await startApp(t)
  for (const [path, method, status] of [
    ['/-/nothing', 'GET', 404],
    ['/-/crates/nothing', 'GET', 404],
    ['/-/crates/a%20b', 'GET', 400],
    ['/-/crates/foo/1.0.0/more', 'GET', 404],
    ['/-/', 'POST', 405],
    ['/-/crates/foo', 'DELETE', 405],
  ] as const) {
    const answer = await app.request(path, { method })
    assert.equal(answer.status, status, path)
    assertPage(answer)
  }
  const { body } = await app.request('/nothing')
  assert.deepEqual(body, { errors: [{ detail: 'there is nothing at `/cargo/nothing`' }] })
})

test('a store that is away is told on a page, to come back later', async (t) => {
  const { storage, fail } = faultyStore()
  const app = await startApp(t, { host: { storage } })
  fail(new Error('the store is away'))
  const answer = await app.request('/-/crates/foo')
  assert.equal(answer.status, 503)
  assert.equal(answer.headers.get('retry-after'), '2')
  assertPage(answer)
  assert.match(answer.text, /<h1>Not available right now<\/h1>/)
})

test('HEAD has the headers of a page', async (t) => {
  const app = await startApp(t)
  const answer = await app.request('/-/', { method: 'HEAD' })
  assert.deepEqual([answer.status, answer.text], [200, ''])
  assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'none'/)
})
