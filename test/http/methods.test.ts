import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApp } from '../support/app.ts'

const CASES: readonly (readonly [string, string, string])[] = [
  ['POST', '/config.json', 'GET, HEAD'],
  ['PUT', '/se/rd/serde', 'GET, HEAD'],
  ['DELETE', '/api/v1/crates', 'GET, HEAD'],
  ['POST', '/api/v1/crates/new', 'DELETE, GET, HEAD, PUT'],
  ['POST', '/api/v1/crates/serde', 'DELETE, GET, HEAD'],
  ['POST', '/api/v1/crates/serde/1.0.0', 'DELETE, GET, HEAD'],
  ['PUT', '/api/v1/crates/serde/1.0.0/dependencies', 'GET, HEAD'],
  ['GET', '/api/v1/crates/serde/1.0.0/yank', 'DELETE'],
  ['PUT', '/api/v1/crates/serde/1.0.0/yank', 'DELETE'],
  ['DELETE', '/api/v1/crates/serde/1.0.0/unyank', 'PUT'],
  ['POST', '/api/v1/crates/serde/owners', 'DELETE, GET, HEAD, PUT'],
  ['PUT', '/api/v1/crates/serde/1.0.0/download', 'GET, HEAD'],
  ['POST', '/me', 'GET, HEAD'],
  ['POST', '', 'GET, HEAD'],
]

test('a method that a path does not know is refused with those that it does', async (t) => {
  const app = await startApp(t)
  for (const [method, path, allow] of CASES) {
    const { status, headers, body } = await app.request(path, { method, as: 'ann' })
    const wanted = `\`${method}\` is not allowed here, only ${allow}`
    assert.equal(status, 405, `${method} ${path}`)
    assert.equal(headers.get('allow'), allow, `${method} ${path}`)
    assert.deepEqual(body, { errors: [{ detail: wanted }] })
  }
})

test('a git client is told the sparse address', async (t) => {
  const app = await startApp(t)
  for (const path of ['/info/refs?service=git-upload-pack', '/index/info/refs']) {
    const { status, body } = await app.request(path)
    assert.equal(status, 501)
    assert.deepEqual(body, {
      errors: [
        {
          detail: `this registry has no git index: configure \`index = "sparse+${app.url}/"\` in \`.cargo/config.toml\``,
        },
      ],
    })
  }
})

test('the address itself leads browsers to the crates, and others to /me', async (t) => {
  for (const mount of ['/cargo', '']) {
    const app = await startApp(t, { options: { mount } })
    for (const path of mount === '' ? ['/'] : ['', '/']) {
      for (const [accept, to] of [
        ['text/html,application/xhtml+xml,*/*;q=0.8', '/-/'],
        ['*/*', '/me'],
        ['application/json', '/me'],
      ] as const) {
        const { status, headers } = await app.request(path, { headers: { accept } })
        assert.deepEqual([status, headers.get('location')], [302, app.url + to])
        assert.equal(headers.get('vary'), 'Accept')
      }
    }
    assert.equal((await app.request('/config.json')).status, 200)
  }
})

test('the address itself needs a login where reads do', async (t) => {
  const app = await startApp(t, { options: { auth_required: true } })
  assert.equal((await app.request('/')).status, 401)
  assert.equal((await app.request('/', { as: 'ann' })).status, 302)
})

test('/me tells how to log in, to anybody', async (t) => {
  const app = await startApp(t, { options: { auth_required: true } })
  const { status, headers, text } = await app.request('/me')
  assert.equal(status, 200)
  assert.equal(headers.get('content-type'), 'text/html; charset=utf-8')
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'; /)
  assert.ok(text.includes(`[registries.local]\nindex = &#34;sparse+${app.url}/&#34;`))
  assert.ok(text.includes('cargo login --registry local'))
})
