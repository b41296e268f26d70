import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Uplink } from '../../src/uplinks/uplink.ts'
import { eventually } from '../support/until.ts'
import { CONFIG, clientOf, crateOf, type Input, startWithCrate, textOf } from './clients.ts'

/** Whatever is asked for. */
const ALL = /./

test('404, 410 and 451 mean that there is none, 401 and 403 mean nothing, and no such answer opens the breaker', async (t) => {
  const { server, download } = await startWithCrate(t)
  const client = clientOf(t, server.url, { max_fails: 1 })
  await crateOf(client, download)
  for (const mode of ['404', '410', '451'] as const) {
    server.fault(ALL, mode)
    assert.deepEqual(await client.index('foo_bar'), { kind: 'absent' })
    await assert.rejects(client.crate(download), {
      name: 'CargoError',
      code: 'not_found',
      message: 'uplink `up` does not have the file of `Foo_Bar@1.0.0`',
    })
  }
  for (const mode of ['400', '401', '403', '204', '206'] as const) {
    server.fault(ALL, mode)
    await assert.rejects(client.index('foo_bar'), { fault: 'foreign', code: 'unavailable' })
    await assert.rejects(client.crate(download), { fault: 'foreign', code: 'unavailable' })
  }
  assert.equal(client.state().asked, true)
})

test('nothing is asked after a 429 until its Retry-After is over', async (t) => {
  const { server, download } = await startWithCrate(t, { api: true })
  let clock = 0
  const client = clientOf(t, server.url, {}, { monotonic: () => clock })
  await crateOf(client, download)
  server.fault(ALL, { mode: '429', retryAfter: 7 }, 1)
  await assert.rejects(client.index('foo_bar'), { fault: 'limited', retryAfter: 7 })
  const sent = server.requests.length
  clock = 2_500
  const limited = { code: 'too_many_requests', retryAfter: 5 }
  await assert.rejects(client.index('foo_bar'), limited)
  await assert.rejects(client.crate(download), limited)
  await assert.rejects(client.search({ q: 'foo', perPage: 1, page: 1 }), limited)
  assert.equal(client.state().asked, false)
  assert.equal(server.requests.length, sent)
  clock = 7_000
  assert.match(await textOf(client), /Foo_Bar/)
})

test('a 429 is obeyed when its Retry-After is a date, or missing', async (t) => {
  const { server } = await startWithCrate(t)
  for (const [headers, retryAfter] of [
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:09 GMT' }, 9],
    [{}, 10],
  ] as const) {
    const client = clientOf(t, server.url, {}, { now: () => new Date('2026-01-01T00:00:00Z') })
    server.set('/index/fo/o_/foo_bar', { status: 429, headers })
    await assert.rejects(client.index('foo_bar'), { fault: 'limited', retryAfter })
  }
})

test('the breaker opens after `max_fails` failures, and a probe closes it', async (t) => {
  const { server, download } = await startWithCrate(t)
  const available: boolean[] = []
  const client = clientOf(
    t,
    server.url,
    { max_fails: 3 },
    { probeEvery: 50, onAvailable: (is) => void available.push(is) },
  )
  server.fault(ALL, '503')
  for (let i = 0; i < 3; i++) {
    await assert.rejects(client.index('foo_bar'), { fault: 'away', message: 'uplink `up` answers 503' })
  }
  const [sent, began] = [server.hits(/foo_bar/), performance.now()]
  const alone = { fault: 'away', retryAfter: 1, message: /is left alone for a while: it answers 503$/ }
  for (let i = 0; i < 20; i++) await assert.rejects(client.index('foo_bar'), alone)
  await assert.rejects(client.crate(download), alone)
  assert.ok(performance.now() - began < 500)
  assert.equal(server.hits(/foo_bar/), sent)
  assert.ok(await eventually(() => server.hits(CONFIG) >= 3))
  assert.deepEqual(available, [false])
  server.heal()
  assert.ok(await eventually(() => client.state().asked))
  assert.match(await textOf(client), /Foo_Bar/)
  assert.deepEqual(available, [false, true])
})

test('a probe that finds the uplink well but in need of a login closes the breaker', async (t) => {
  const { server } = await startWithCrate(t)
  for (const mode of ['401', '404', 'redirect-loop'] as const) {
    const client = clientOf(t, server.url, { max_fails: 1 }, { probeEvery: 20 })
    server.fault(ALL, '500')
    await assert.rejects(client.index('foo_bar'))
    server.fault(ALL, mode)
    assert.ok(await eventually(() => client.state().asked), mode)
  }
})

test('an error tells the Retry-After of a 503', async (t) => {
  const { server } = await startWithCrate(t)
  server.set(server.indexPath('foo_bar'), { status: 503, headers: { 'retry-after': '33' } })
  await assert.rejects(clientOf(t, server.url).index('foo_bar'), { code: 'unavailable', retryAfter: 33 })
})

test('crate() counts what goes wrong in the body, but not that its reader leaves or fails', async (t) => {
  const { server, download } = await startWithCrate(t)
  const told: string[] = []
  const client = clientOf(
    t,
    server.url,
    { max_fails: 1 },
    { onRequest: (kind, how) => void told.push(`${kind} ${how}`) },
  )
  server.fault(/^\/crates/, { mode: 'drip', bytesPerSecond: 2000 })
  const left = await client.crate(download)
  left.body.destroy()
  const failed = await client.crate(download)
  const spill = async () => {
    for await (const _ of failed.body) throw new Error('no space left')
  }
  await assert.rejects(spill(), /no space left/)
  await sleep(20)
  assert.equal(client.state().asked, true)
  assert.deepEqual(told, ['config ok'])
  server.fault(/^\/crates/, 'short-CL')
  await assert.rejects(crateOf(client, download), { fault: 'cut' })
  assert.equal(client.state().asked, false)
  assert.deepEqual(told, ['config ok', 'crate cut'])
})

test('createUplink() connects to nobody before it is asked, nor ever when `offline` is set', async (t) => {
  const { server, download } = await startWithCrate(t, { api: true })
  clientOf(t, server.url)
  const client = clientOf(t, server.url, {}, { offline: true, probeEvery: 10 })
  const offline = { fault: 'away', message: 'uplink `up` is not asked: `offline` is set' }
  await assert.rejects(client.index('foo_bar'), offline)
  await assert.rejects(client.crate(download), offline)
  await assert.rejects(client.search({ q: 'foo', perPage: 10, page: 1 }), offline)
  assert.deepEqual(client.state(), { answered: false, asked: false })
  await sleep(50)
  assert.deepEqual([server.connections(), server.requests.length], [0, 0])
})

test('createUplink() fails in time when nobody answers', async (t) => {
  const { server, download } = await startWithCrate(t)
  const cases: readonly (readonly [Input, (client: Uplink) => Promise<unknown>])[] = [
    [{}, (client) => client.index('foo_bar')],
    [{}, (client) => client.crate(download)],
    [
      { agent_options: { maxSockets: 1 } },
      (client) => Promise.any(Array.from({ length: 9 }, () => client.crate(download))),
    ],
  ]
  server.fault(ALL, 'silent')
  for (const [input, ask] of cases) {
    const began = performance.now()
    await assert.rejects(ask(clientOf(t, server.url, { timeout: '200ms', ...input })))
    assert.ok(performance.now() - began < 1500)
  }
})

test('crate() fails in time when all connections are busy', async (t) => {
  const { server, download } = await startWithCrate(t)
  const client = clientOf(t, server.url, { timeout: '200ms', agent_options: { maxSockets: 1 } })
  server.fault(/^\/crates/, { mode: 'drip', bytesPerSecond: 4000 })
  const { body } = await client.crate(download)
  await assert.rejects(client.crate(download), {
    fault: 'away',
    message: 'uplink `up` does not answer in time',
  })
  body.destroy()
})

test('close() ends what is on its way', async (t) => {
  const { server, download } = await startWithCrate(t)
  const client = clientOf(t, server.url)
  server.fault(/^\/crates/, { mode: 'drip', bytesPerSecond: 100 })
  const { body } = await client.crate(download)
  server.fault(/^\/index/, 'silent')
  const index = assert.rejects(client.index('foo_bar'), { name: 'UplinkError' })
  const crate = assert.rejects(buffer(body), { name: 'UplinkError' })
  await client.close()
  await Promise.all([index, crate])
  assert.ok(await eventually(() => server.connections() === 0))
})
