import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

const SHARED = [
  '/config.json',
  '/index/config.json',
  '/3/f/foo',
  '/index/3/f/foo',
  '/ba/rb/barbaz',
  '/1/a',
  '/fo/o%2d/foo%2dbar',
  '/%66o/o-/foo-bar',
  '/api/v1/crates/foo%2dbar',
  '/api/v1/crates',
  '/api/v1/crates/foo',
  '/api/v1/crates/foo/1.0.0/download',
  '/api/v1/crates/not-there',
]
const OWN = ['/%zz', '/api/v1/%6de/tokens', '/me', '/me/tokens', '/api/v1/me/tokens', '']

test('where everybody may read, pages of other sites may read the index and the API', async (t) => {
  const app = await startApp(t)
  await app.publish(crateFile())
  const sharedWith = async (path: string, method = 'GET') => {
    const { headers } = await app.request(path, { method, headers: { origin: 'https://ide.example' } })
    assert.equal(headers.get('access-control-allow-credentials'), null)
    return headers.get('access-control-allow-origin')
  }
  for (const path of SHARED) {
    assert.equal(await sharedWith(path), '*', path)
    assert.equal(await sharedWith(path, 'HEAD'), '*', path)
  }
  for (const path of OWN) assert.equal(await sharedWith(path), null, path)
  assert.equal(await sharedWith('/api/v1/crates/foo/1.0.0/yank', 'DELETE'), null)
  assert.equal(await sharedWith('/api/v1/crates/new', 'PUT'), null)
})

test('where reads need a login, no other site may read anything', async (t) => {
  const app = await startApp(t, { options: { auth_required: true } })
  await app.publish(crateFile())
  for (const path of [...SHARED, ...OWN]) {
    const { headers } = await app.request(path, { as: 'ann', headers: { origin: 'https://ide.example' } })
    assert.equal(headers.get('access-control-allow-origin'), null, path)
  }
})
