import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { until } from '../support/until.ts'
import { startUplink } from '../support/uplink.ts'
import { bodyAt, detailOf, indexOf, startProxy, uplinkOptions } from './upstream-app.ts'

const FOO = [crateFile('foo', '1.0.0')]
/** Asked for behind the first index file. */
const CONFIG = '/index/config.json'
const CLOSED = 'http://127.0.0.1:9/index/'

describe('faults of an uplink', { concurrency: true }, () => {
  test('what is wrong with an uplink is told apart, and is never a 404', async (t) => {
    const tls = await startUplink(t, { crates: FOO, h2: true })
    const silent = await startUplink(t, { crates: FOO })
    silent.fault(/./, 'silent')
    const cases: readonly (readonly [string, object, RegExp])[] = [
      ['refused', { url: CLOSED }, /^uplink `up` refuses connections$/],
      [
        'no name',
        { url: 'https://no-such-registry.invalid/index/' },
        /^uplink `up` cannot be found by its name$/,
      ],
      ['a certificate nobody trusts', { url: tls.url }, /^uplink `up` has a certificate that is not trusted/],
      ['silent', { url: silent.url, timeout: '300ms' }, /^uplink `up` does not answer in time$/],
    ]
    for (const [name, up, wanted] of cases) {
      const options = { prefetch: 0, uplinks: { up: { ...uplinkOptions(silent), ...up } } }
      const app = await startApp(t, { options })
      const startedAt = performance.now()
      const answers = [await indexOf(app, 'foo'), await app.request('/api/v1/crates/foo/1.0.0/download')]
      for (const answer of answers) {
        assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '2'], name)
        assert.match(detailOf(answer), wanted)
        assert.equal(answer.headers.get('cache-control'), 'no-store')
      }
      assert.ok(performance.now() - startedAt < 4_000, name)
      assert.deepEqual(await app.stored(), [])
    }
  })

  test('an uplink that limits us is obeyed for all, and passed on to whoever has no copy', async (t) => {
    const crates = [...FOO, crateFile('bar'), crateFile('baz')]
    const { app, uplink, index } = await startProxy(t, { uplink: { crates, api: true } })
    await index('foo')
    await until(() => uplink.hits(CONFIG), 1)
    uplink.fault(uplink.indexPath('bar'), { mode: '429', retryAfter: 2 }, 1)
    const limited = await index('bar')
    assert.deepEqual([limited.status, limited.headers.get('retry-after')], [429, '2'])
    const asked = uplink.requests.length
    const startedAt = performance.now()
    while (performance.now() - startedAt < 1_500) {
      const answers = await Promise.all([
        index('bar'),
        index('baz'),
        app.request('/api/v1/crates/baz/1.0.0/download'),
      ])
      for (const { status, headers } of answers) {
        assert.equal(status, 429)
        assert.match(headers.get('retry-after') ?? '', /^[12]$/)
      }
      const warm = await index('foo')
      assert.deepEqual([warm.status, warm.text], [200, bodyAt(uplink, 'foo')])
      assert.equal((await app.request('/api/v1/crates?q=foo')).status, 200)
      await sleep(100)
    }
    assert.equal(uplink.requests.length, asked)
    await until(async () => (await index('bar')).status, 200)
    assert.equal((await index('baz')).status, 200)
  })

  test('an uplink without a number in its Retry-After is left alone all the same', async (t) => {
    const { uplink, index } = await startProxy(t, { uplink: { crates: FOO } })
    uplink.set(uplink.indexPath('foo'), { status: 429 })
    for (const wanted of [/^10$/, /^(10|9)$/]) {
      const { status, headers } = await index('foo')
      assert.equal(status, 429)
      assert.match(headers.get('retry-after') ?? '', wanted)
    }
    assert.equal(uplink.requests.length, 1)
  })

  test('a 503 of an uplink is one of ours, and its Retry-After is passed on', async (t) => {
    const { uplink, index } = await startProxy(t, { uplink: { crates: FOO } })
    for (const status of [500, 502, 503]) {
      uplink.set(uplink.indexPath('foo'), { status, headers: { 'retry-after': '17' } })
      const answer = await index('foo')
      assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '17'])
      assert.equal(detailOf(answer), `uplink \`up\` answers ${status}`)
    }
  })

  test('an uplink that fails twice is left alone, and asked again within six seconds of being well', async (t) => {
    const { app, uplink, index } = await startProxy(t, {
      uplink: { crates: [...FOO, crateFile('bar')] },
      up: { max_fails: 2, maxage: '1ms' },
    })
    const good = await index('foo')
    await until(() => uplink.hits(CONFIG), 1)
    uplink.fault(/./, '500')
    assert.deepEqual([(await index('bar')).status, (await index('baz')).status], [503, 503])
    const asked = uplink.requests.length
    for (let n = 0; n < 100; n++) {
      const startedAt = performance.now()
      const answer = await index(`cold-${n}`)
      assert.deepEqual([answer.status, performance.now() - startedAt < 2_000], [503, true])
      assert.match(answer.headers.get('retry-after') ?? '', /^[1-5]$/)
      const warm = await index('foo')
      assert.deepEqual([warm.status, warm.text], [200, good.text])
    }
    assert.equal(uplink.requests.length, asked)
    uplink.heal()
    const healedAt = performance.now()
    while ((await index('bar')).status !== 200) await sleep(50)
    assert.ok(performance.now() - healedAt < 6_000)
    // One probe, then the question itself.
    const since = uplink.requests.slice(asked).map(({ path }) => path)
    assert.deepEqual(
      since.filter((path) => path !== uplink.indexPath('foo')),
      [CONFIG, uplink.indexPath('bar')],
    )
    await sleep(1_000)
    assert.equal((await index('foo')).status, 200)
    const gauge = await app.metrics.getSingleMetric('cargo_uplink_available')?.get()
    assert.equal(gauge?.values[0]?.value, 1)
  })

  test('a failure of one crate is told to all who wait for it, and is forgotten', async (t) => {
    const { uplink, index } = await startProxy(t, {
      uplink: { crates: FOO, latencyMs: 30 },
      up: { maxage: '1m' },
    })
    uplink.fault(uplink.indexPath('foo'), '500', 1)
    const answers = await Promise.all(Array.from({ length: 50 }, () => index('foo')))
    assert.deepEqual(
      [...new Set(answers.map(({ status }) => status))].filter((status) => status !== 200),
      [503],
    )
    assert.equal((await index('foo')).status, 200)
    assert.ok(uplink.hits(uplink.indexPath('foo')) <= 3)
  })

  test('clients that leave do not fail those who wait', async (t) => {
    const { app, uplink, index } = await startProxy(t, { uplink: { crates: FOO }, up: { maxage: '1m' } })
    const release = uplink.hold(uplink.indexPath('foo'))
    const leaving = new AbortController()
    const left = fetch(`${app.url}/3/f/foo`, { signal: leaving.signal }).catch(() => 'left')
    await until(() => uplink.hits(uplink.indexPath('foo')), 1)
    const waiting = Promise.all(Array.from({ length: 10 }, () => index('foo')))
    leaving.abort()
    assert.equal(await left, 'left')
    release()
    assert.ok((await waiting).every(({ status }) => status === 200))
    assert.equal(uplink.hits(uplink.indexPath('foo')), 1)
  })
})
