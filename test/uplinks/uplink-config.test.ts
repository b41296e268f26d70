import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DL_MARKERS } from '../../src/protocol/index-config.ts'
import { eventually } from '../support/until.ts'
import { CONFIG, clientOf, crateOf, listen, startWithCrate } from './clients.ts'

test('crate() finds the file by every marker of `dl`, and by none', async (t) => {
  const templates = [
    '{origin}/crates',
    '{origin}/crates?q={sha256-checksum}',
    '{origin}/{prefix}/{crate}-{version}.crate',
    ...DL_MARKERS.map((marker) => `{origin}/a/${marker}/b`),
  ]
  for (const dl of templates) {
    const { server, bytes, download } = await startWithCrate(t, { dl })
    assert.deepEqual(await crateOf(clientOf(t, server.url), download), bytes, dl)
  }
  const { server } = await startWithCrate(t, { dl: '{origin}/{prefix}/{lowerprefix}/{crate}' })
  assert.equal(server.cratePath('Foo_Bar', '1.0.0'), '/Fo/o_/fo/o_/Foo_Bar')
})

test('crate() asks for config.json once, whoever asks, and not for each', async (t) => {
  const { server, bytes, download } = await startWithCrate(t, { latencyMs: 20 })
  const client = clientOf(t, server.url)
  const all = await Promise.all(Array.from({ length: 20 }, () => crateOf(client, download)))
  assert.ok(all.every((one) => one.equals(bytes)))
  await crateOf(client, download)
  assert.equal(server.hits(CONFIG), 1)
})

test('index() asks for config.json too, once, so that no crate has to wait for it', async (t) => {
  const { server, bytes, download } = await startWithCrate(t)
  const client = clientOf(t, server.url)
  const held = server.hold(CONFIG)
  assert.equal((await client.index(download.name)).kind, 'changed')
  assert.ok(await eventually(() => server.hits(CONFIG) === 1))
  held()
  assert.equal((await client.index(download.name)).kind, 'changed')
  assert.deepEqual(await crateOf(client, download), bytes)
  assert.equal(server.hits(CONFIG), 1)
})

test('index() answers although config.json is spoiled, and crate() says how', async (t) => {
  const { server, download } = await startWithCrate(t)
  server.set(CONFIG, { status: 500 })
  let clock = 0
  const client = clientOf(t, server.url, { max_fails: 2 }, { monotonic: () => clock })
  for (const hits of [1, 1, 1, 2]) {
    if (hits === 2) clock += 30_000
    assert.equal((await client.index(download.name)).kind, 'changed')
    assert.ok(await eventually(() => server.hits(CONFIG) === hits))
  }
  assert.ok(client.state().asked)
  await assert.rejects(client.crate(download), { message: 'uplink `up` answers 500' })
})

test('crate() uses the last good config.json when the new one is not good', async (t) => {
  const { server, bytes, download } = await startWithCrate(t)
  let clock = 0
  const client = clientOf(t, server.url, { max_fails: 0 }, { monotonic: () => clock })
  const later = (minutes: number) => {
    clock += 60_000 * minutes
  }
  await crateOf(client, download)
  for (const mode of ['html200', 'json-error-200', 'empty200', '500', '404', '403', 'hang-up'] as const) {
    server.fault(CONFIG, mode)
    const before = server.hits(CONFIG)
    later(5)
    assert.deepEqual(await crateOf(client, download), bytes, mode)
    assert.ok(server.hits(CONFIG) > before, mode)
    // It is not asked for again with each crate.
    const [after] = [server.hits(CONFIG)]
    assert.deepEqual(await crateOf(client, download), bytes, mode)
    assert.equal(server.hits(CONFIG), after)
  }
  server.heal()
  server.set(CONFIG, { body: JSON.stringify({ dl: `${server.origin}/nowhere` }) })
  later(1)
  await assert.rejects(client.crate(download), { code: 'not_found' })
})

test('crate() fails, and does not say that there is none, when there was never a good config.json', async (t) => {
  const { server, download } = await startWithCrate(t)
  const cases = [
    [{ status: 404 }, 'uplink `up` answers 404'],
    [{ body: '<html>' }, 'uplink `up` has an unusable index config: must be JSON'],
    [
      { body: '{"dl":"/relative"}' },
      'uplink `up` has an unusable `dl` in the index config: must be an absolute http URL',
    ],
    [{ body: '{"dl":"http://{version}:{crate}/"}' }, /^uplink `up` has an unusable `dl`/],
  ] as const
  for (const [override, message] of cases) {
    server.set(CONFIG, override)
    await assert.rejects(clientOf(t, server.url).crate(download), { fault: 'foreign', message })
  }
  server.set(CONFIG, { body: '{"dl":"http://{version}/"}' })
  await assert.rejects(clientOf(t, server.url).crate({ ...download, version: '300.0.0' }), {
    fault: 'foreign',
    message: 'uplink `up` has a `dl` in its index config that makes no URL',
  })
})

test('search() asks the web API where config.json says it is', async (t) => {
  const { server } = await startWithCrate(t)
  const asked = { q: 'foo', perPage: 10, page: 1 }
  for (const api of [undefined, null, '']) {
    server.set(CONFIG, { body: JSON.stringify({ dl: server.origin, api }) })
    assert.equal(await clientOf(t, server.url).search(asked), undefined)
  }
  const web = await listen(t, (_, response) =>
    response.end('{"crates":[{"name":"foo","max_version":"1.0.0","description":"a"}],"meta":{"total":3}}'),
  )
  server.set(CONFIG, { body: JSON.stringify({ dl: server.origin, api: `${web.origin}/base//` }) })
  assert.deepEqual(await clientOf(t, server.url).search(asked), {
    crates: [{ name: 'foo', max_version: '1.0.0', description: 'a' }],
    meta: { total: 3 },
  })
  assert.equal(web.requests[0]?.url, '/base/api/v1/crates?q=foo&per_page=10&page=1')
  server.set(CONFIG, { body: JSON.stringify({ dl: server.origin, api: 'nowhere' }) })
  await assert.rejects(clientOf(t, server.url).search(asked), {
    fault: 'foreign',
    message: 'uplink `up` has a `api` in its index config that makes no URL',
  })
})

test('search() fails when the answer is no list, or late', async (t) => {
  const { server } = await startWithCrate(t, { api: true })
  const asked = { q: 'foo', perPage: 10, page: 1 }
  const client = clientOf(t, server.url, { timeout: '100ms' })
  for (const [mode, fault] of [
    ['html200', 'foreign'],
    ['404', 'foreign'],
    ['500', 'away'],
    ['silent', 'away'],
  ] as const) {
    server.fault('/api/v1/crates', mode)
    await assert.rejects(client.search(asked), { fault }, mode)
  }
})
