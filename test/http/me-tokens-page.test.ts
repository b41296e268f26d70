import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { startApp } from '../support/app.ts'
import { assertPage } from '../support/page.ts'
import { JOE, MIA, startTokenApp, type TokenApp } from './token-app.ts'

const PAGE = '/me/tokens'
const CHALLENGE = 'Basic realm="cargo registry", charset="UTF-8"'
const EVIL = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>&\u0060`

const makes = async ({ post, seal }: TokenApp, as: string, fields: Readonly<Record<string, string>>) =>
  post(PAGE, as, { seal: await seal(as), ...fields })

test('a browser is asked for a password at /me/tokens, and cargo as ever', async (t) => {
  const { app } = await startTokenApp(t, { options: { auth_required: true } })
  for (const accept of ['*/*', 'text/html']) {
    for (const path of [PAGE, `${PAGE}/x/revoke`, `${PAGE}/nothing`]) {
      const answer = await app.request(path, { headers: { accept } })
      assert.equal(answer.status, 401)
      assert.equal(answer.headers.get('www-authenticate'), CHALLENGE)
      assertPage(answer)
    }
  }
  const wrong = await app.request(PAGE, { as: `Basic ${Buffer.from('joe:x').toString('base64')}` })
  assert.deepEqual([wrong.status, wrong.headers.get('www-authenticate')], [401, CHALLENGE])
  for (const path of ['/config.json', '/3/f/foo', '/api/v1/me/tokens', '/me/tokensx', '/nothing']) {
    const answer = await app.request(path)
    assert.equal(answer.status, 401, path)
    assert.equal(answer.headers.get('www-authenticate'), `Cargo login_url="${app.url}/me"`, path)
  }
  assert.equal((await app.request('/me')).status, 200)
})

test('a form sent without a password is answered, and not read', async (t) => {
  const { app } = await startTokenApp(t)
  const body = Buffer.alloc(100_000, 'x')
  const answer = await app.request(PAGE, { method: 'POST', body })
  assert.equal(answer.status, 401)
  assertPage(answer)
})

test('/me leads to where tokens are made: here, at the host, by its commands, or at its people', async (t) => {
  const { app } = await startTokenApp(t)
  const page = await app.request('/me')
  assertPage(page)
  assert.match(page.text, /<a href="\/cargo\/me\/tokens">Sign in and make a token<\/a>/)
  const person = await app.request('/me', { as: JOE })
  assert.deepEqual([person.status, person.headers.get('location')], [302, '/cargo/me/tokens'])

  const auth = { authenticate: async () => undefined, authorize: async () => true }
  const elsewhere = await startApp(t, {
    host: { auth: { ...auth, tokenPage: 'https://host.example/a?b&"c' } },
  })
  assert.ok((await elsewhere.request('/me')).text.includes('href="https://host.example/a?b&#38;&#34;c"'))
  const steps = [{ text: 'Sign in <first>:', command: 'host login' }]
  const atTerminal = await startApp(t, {
    host: { auth: { ...auth, tokenSteps: (registry) => [...steps, { text: 'Then:', command: registry }] } },
  })
  const { text } = await atTerminal.request('/me')
  assert.ok(text.includes('Sign in &#60;first&#62;:'), text)
  for (const command of ['host login', atTerminal.url]) assert.ok(text.includes(`>${command}</pre>`), text)
  const nowhere = await startApp(t, { host: { auth } })
  assert.match((await nowhere.request('/me')).text, /Ask the people who run this registry/)
})

test('a person makes a token with a form, sees it once, uses and revokes it', async (t) => {
  const it = await startTokenApp(t)
  const { app, post, seal } = it
  const before = await app.request(PAGE, { as: JOE })
  assertPage(before)
  assert.match(before.text, /Signed in as <strong>joe<\/strong>/)
  assert.match(before.text, /You have no tokens yet/)
  const made = await post(
    PAGE,
    JOE,
    [
      ['seal', await seal(JOE)],
      ['name', ' laptop '],
      ['expires', '30d'],
      ['action', 'publish'],
      ['action', 'yank'],
      ['crates', 'acme-*, other\n third'],
    ],
    { origin: new URL(app.url).origin, 'sec-fetch-site': 'same-origin' },
  )
  assert.equal(made.status, 200)
  assertPage(made)
  const token = /vcargo_[\w-]{43}/.exec(made.text)?.[0] ?? ''
  const { api_tokens } = (await app.request('/api/v1/me/tokens', { as: JOE })).body as {
    api_tokens: { id: string; expired_at: string }[]
  }
  const [{ id, expired_at, ...kept } = assert.fail()] = api_tokens as [
    { id: string; expired_at: string; created_at: string },
  ]
  assert.deepEqual(kept, {
    name: 'laptop',
    created_at: kept.created_at,
    last_used_at: null,
    crate_scopes: ['acme-*', 'other', 'third'],
    endpoint_scopes: ['publish', 'yank'],
  })
  assert.equal(Date.parse(expired_at) - Date.parse(kept.created_at) > 29 * 86_400_000, true)
  assert.equal((await app.request('/config.json', { as: token })).status, 200)

  const listed = await app.request(PAGE, { as: JOE })
  assert.ok(listed.text.includes(`<td>laptop</td><td class="mono">${id}</td>`))
  assert.ok(!listed.text.includes(token.slice(7)))
  const revoked = await post(`${PAGE}/${id}/revoke`, JOE, { seal: await seal(JOE) })
  assert.deepEqual([revoked.status, revoked.headers.get('location')], [303, '/cargo/me/tokens'])
  assert.equal((await app.request('/config.json', { as: token })).status, 401)
  const again = await post(`${PAGE}/${id}/revoke`, JOE, { seal: await seal(JOE) })
  assert.equal(again.status, 404)
  assertPage(again)
})

test('with no box checked a token only reads, and empty fields limit nothing', async (t) => {
  const it = await startTokenApp(t)
  assert.equal((await makes(it, JOE, { name: 'x', expires: '', crates: ' ' })).status, 200)
  const { body } = await it.app.request('/api/v1/me/tokens', { as: JOE })
  const [kept] = (body as { api_tokens: Record<string, unknown>[] }).api_tokens
  assert.deepEqual(
    [kept?.['expired_at'], kept?.['crate_scopes'], kept?.['endpoint_scopes']],
    [null, null, ['read']],
  )
})

test('whatever a token is called, the pages only show it', async (t) => {
  const it = await startTokenApp(t)
  const made = await makes(it, JOE, { name: EVIL, expires: '' })
  assert.equal(made.status, 200)
  assertPage(made)
  const page = await it.app.request(PAGE, { as: JOE })
  assertPage(page)
  assert.ok(page.text.includes('&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;&#62;&#60;img'))
  for (const field of ['crates', 'action', 'expires']) {
    const refused = await makes(it, JOE, { name: 'x', [field]: EVIL })
    assert.equal(refused.status, 400)
    assertPage(refused)
  }
  assertPage(await it.app.request(`${PAGE}/${encodeURIComponent(EVIL)}`, { as: JOE }))
  const id = encodeURIComponent(EVIL)
  const revoked = await it.post(`${PAGE}/${id}/revoke`, JOE, { seal: await it.seal(JOE) })
  assert.equal(revoked.status, 404)
  assertPage(revoked)
})

test('a form from elsewhere, of somebody else, too old or too large does nothing', async (t) => {
  const { app, post, seal, token } = await startTokenApp(t)
  const { id } = await token(JOE)
  const [own, others] = [await seal(JOE), await seal(MIA)]
  const { host, origin } = new URL(app.url)
  const past = own.replace(/^\d+/, '1000000000000')
  const later = own.replace(/^\d+/, (until) => String(Number(until) + 1))
  const cases: readonly (readonly [number, string, Readonly<Record<string, string>>])[] = [
    [403, '', {}],
    [403, 'x', {}],
    [403, past, {}],
    [403, later, {}],
    [403, `${own}x`, {}],
    [403, others, {}],
    [403, own, { 'sec-fetch-site': 'cross-site' }],
    [403, own, { 'sec-fetch-site': 'same-site' }],
    [403, own, { 'sec-fetch-site': 'none' }],
    [403, own, { origin: 'null' }],
    [403, own, { origin: 'https://evil.example' }],
    [403, own, { origin: `http://${host}.evil.example` }],
    [403, own, { origin: `http://${host}0` }],
    [403, own, { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }],
    [403, others, { origin, 'sec-fetch-site': 'same-origin' }],
    [400, own, { 'content-type': 'text/plain' }],
    [400, own, { 'content-type': 'multipart/form-data; boundary=x' }],
  ]
  for (const [status, value, headers] of cases) {
    for (const path of [PAGE, `${PAGE}/${id}/revoke`]) {
      const answer = await post(path, JOE, { seal: value, name: 'evil' }, headers)
      assert.equal(answer.status, status, JSON.stringify([path, value, headers]))
      assertPage(answer)
    }
  }
  const large = await post(PAGE, JOE, { seal: own, name: 'x', crates: 'x'.repeat(20_000) })
  assert.equal(large.status, 413)
  assert.equal((await app.stored('tokens/')).length, 1)
  assert.equal((await post(`${PAGE}/${id}/revoke`, MIA, { seal: others })).status, 404)
  assert.equal((await app.stored('tokens/')).length, 1)
})

test('a page of one replica is good for another', async (t) => {
  const { app, seal } = await startTokenApp(t)
  const other = await startTokenApp(t, { host: { storage: app.storage } })
  const answer = await other.post(PAGE, JOE, { seal: await seal(JOE), name: 'x' })
  assert.equal(answer.status, 200)
})

test('behind a proxy that rewrites Host, the registry is known by its own address', async (t) => {
  const publicUrl = () => 'https://crates.example/sub'
  const { app, post, seal } = await startTokenApp(t, { host: { publicUrl } })
  assert.match((await app.request(PAGE, { as: JOE })).text, /action="\/sub\/cargo\/me\/tokens"/)
  const made = await post(
    PAGE,
    JOE,
    { seal: await seal(JOE), name: 'x' },
    { origin: 'https://crates.example' },
  )
  assert.equal(made.status, 200)
})

test('who signed in with a token is asked for a password', async (t) => {
  const { app, token, post } = await startTokenApp(t)
  const { token: text } = await token(JOE)
  const as = `Basic ${Buffer.from(`joe:${text}`).toString('base64')}`
  for (const answer of [await app.request(PAGE, { as }), await post(PAGE, as, { name: 'x' })]) {
    assert.equal(answer.status, 401)
    assert.equal(answer.headers.get('www-authenticate'), CHALLENGE)
    assert.match(answer.text, /A token can neither make nor list tokens/)
    assertPage(answer)
  }
  assert.equal((await app.stored('tokens/')).length, 1)
})

test("the host's own user, signed in by other means than a header, has the page too", async (t) => {
  const made: unknown[] = []
  const tokens = {
    list: async () => [],
    async create({ name }: { readonly name: string }, wish: { readonly name: string }) {
      made.push([name, wish])
      return { token: 'secret-of-the-host', issued: { id: '1', created: '2026-01-01T00:00:00Z', ...wish } }
    },
    revoke: async () => true,
  }
  const authenticate = async (_: unknown, request: { headers: { cookie?: string } }) =>
    request.headers.cookie === 'session=ann' ? { name: 'ann', groups: [] } : undefined
  const app = await startApp(t, { host: { auth: { authenticate, authorize: async () => true, tokens } } })
  const headers = { cookie: 'session=ann' }
  const { text } = await app.request(PAGE, { headers })
  const seal = /name="seal" value="([^"]+)"/.exec(text)?.[1] ?? ''
  const body = Buffer.from(new URLSearchParams({ seal, name: 'x', action: 'publish' }).toString())
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await app.request(PAGE, { method: 'POST', body, headers: { ...headers, ...type } })
  assert.match(answer.text, /secret-of-the-host/)
  assert.deepEqual(made, [['ann', { name: 'x', actions: ['publish'] }]])
})

test('no token, password or seal shows in a log, metric, error or stored object', async (t) => {
  const it = await startTokenApp(t)
  const { app, token, post, seal, log } = it
  const [made, proof] = [await token(JOE), await seal(JOE)]
  const page = await post(PAGE, JOE, { seal: proof, name: 'x' })
  const shown = /vcargo_[\w-]{43}/.exec(page.text)?.[0] ?? assert.fail()
  await app.request(PAGE, { as: made.token })
  await app.request('/api/v1/me/tokens', {
    method: 'PUT',
    as: made.token,
    body: { api_token: { name: 'x' } },
  })
  await post(PAGE, JOE, { seal: proof, name: '', crates: '(' })
  await app.request(`/api/v1/me/tokens/${made.id}`, { method: 'DELETE', as: JOE })
  const heard = [...log, JSON.stringify(app.events), await app.metrics.metrics()]
  for await (const { key } of app.storage.list('')) {
    const object = await app.storage.get(key)
    heard.push(key, object === undefined ? '' : (await buffer(object.body)).toString('latin1'))
  }
  assert.equal(log.filter((line) => /"message":"token (created|revoked)"/.test(line)).length, 3)
  for (const secret of [made.token, made.token.slice(7), shown.slice(7), 'pw-of-joe', JOE.slice(6), proof])
    assert.ok(!heard.join('\n').includes(secret))
})
