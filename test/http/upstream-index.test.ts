import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { request as raw } from 'undici'
import type { ListedObject } from '../../src/host.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { until } from '../support/until.ts'
import { startUplink } from '../support/uplink.ts'
import { versionOf } from '../support/uplink-content.ts'
import { keysOf, watchedStore } from '../support/watched-store.ts'
import {
  alarmsOf,
  bodyAt,
  detailOf,
  indexOf,
  lockingCache,
  startProxy,
  uplinkOptions,
  versionsIn,
} from './upstream-app.ts'

const FOO = [crateFile('foo', '1.0.0'), crateFile('foo', '1.1.0')]

/** A line as nobody but its author would write it. */
function odd(line: string): string {
  return line.replace('"name":', ' "x-unknown": {"b":1, "a":"\\u00e9 é"},  "name" :')
}

describe('index files of an uplink', { concurrency: true }, () => {
  test('an index file is served byte for byte', async (t) => {
    const plain = versionOf({ crate: crateFile('foo', '1.0.0') })
    const strange = versionOf({ crate: crateFile('foo', '1.1.0'), pubtime: null, yanked: true })
    const crates = [plain, { ...strange, line: odd(strange.line) }]
    for (const gzip of [false, true]) {
      const { uplink, index } = await startProxy(t, { uplink: { crates, gzip } })
      const { status, text, headers } = await index('foo')
      assert.deepEqual([status, text], [200, bodyAt(uplink, 'foo')])
      assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8')
    }
  })

  test('an index file that came packed is sent on packed as it came, unless a rule edits it', async (t) => {
    const crates = Array.from({ length: 9 }, (_, minor) => crateFile('foo', `1.${minor}.0`))
    const rules = { packages: { '**': { proxy: ['up'], deny: ['foo@=1.8.0'] } } }
    const proxies = [
      await startProxy(t, { uplink: { crates, gzip: true } }),
      await startProxy(t, { uplink: { crates, gzip: true }, options: rules }),
      await startProxy(t, { uplink: { crates } }),
    ]
    for (const [nth, { app, uplink }] of proxies.entries()) {
      for (const how of ['cold', 'again']) {
        const { headers, body } = await raw(`${app.url}/3/f/foo`, { headers: { 'accept-encoding': 'gzip' } })
        const packed = Buffer.from(await body.arrayBuffer())
        assert.equal(headers['content-encoding'], 'gzip')
        const lines = bodyAt(uplink, 'foo').split(/(?<=\n)/)
        const text = (nth === 1 ? lines.slice(0, -1) : lines).join('')
        assert.equal(gunzipSync(packed).toString(), text)
        const asItCame = gzipSync(text, { level: 1 })
        assert.equal(packed.equals(asItCame), nth === 0, `${how} ${nth}`)
      }
    }
  })

  test('an index file has a strong tag of the served bytes, and is not sent again to who has it', async (t) => {
    const { app, uplink, index } = await startProxy(t, { uplink: { crates: FOO } })
    const { headers, text } = await index('foo')
    const etag = headers.get('etag') ?? ''
    assert.equal(etag, `"${createHash('sha256').update(text).digest('hex').slice(0, 32)}"`)
    assert.equal(headers.get('last-modified'), 'Thu, 01 Jan 2026 00:02:00 GMT')
    assert.equal(headers.get('cache-control'), 'no-cache')
    for (const [tag, status] of [
      [etag, 304],
      [`W/${etag}`, 304],
      [`"other", ${etag}`, 304],
      ['"other"', 200],
    ] as const) {
      const again = await index('foo', { 'if-none-match': tag })
      assert.deepEqual([again.status, again.headers.get('etag')], [status, etag], tag)
      assert.equal(again.text, status === 304 ? '' : text)
    }
    const head = await app.request('/3/f/foo', { method: 'HEAD' })
    for (const name of ['etag', 'last-modified', 'age', 'cache-status', 'content-length'])
      assert.ok(head.headers.get(name), name)
    uplink.publish(crateFile('foo', '2.0.0'))
    const newer = await index('foo', { 'if-none-match': etag })
    assert.deepEqual([newer.status, versionsIn(newer)], [200, ['1.0.0', '1.1.0', '2.0.0']])
  })

  test('a date of the uplink that is none is not passed on', async (t) => {
    const { uplink, index } = await startProxy(t, { uplink: { crates: FOO } })
    uplink.set(uplink.indexPath('foo'), {
      headers: { 'last-modified': 'yesterday' },
      body: bodyAt(uplink, 'foo'),
    })
    const { status, headers } = await index('foo')
    assert.equal(status, 200)
    assert.ok(Date.parse(headers.get('last-modified') ?? '') > Date.parse('2026-01-01'))
  })

  test('a fresh copy needs no request, and says how old it is', async (t) => {
    const { uplink, index } = await startProxy(t, { uplink: { crates: FOO }, up: { maxage: '60s' } })
    const began = performance.now()
    const cold = await index('foo')
    assert.equal(cold.headers.get('cache-status'), 'verdaccio-cargo; fwd=miss; stored; ttl=60')
    assert.equal(cold.headers.get('age'), '0')
    await uplink.stop()
    await sleep(1_100)
    const warm = await index('foo')
    const age = Number(warm.headers.get('age'))
    assert.equal(warm.text, cold.text)
    assert.ok(age >= 1 && age <= (performance.now() - began) / 1000, String(age))
    assert.equal(warm.headers.get('cache-status'), `verdaccio-cargo; hit; ttl=${60 - age}`)
    assert.equal(uplink.hits(uplink.indexPath('foo')), 1)
  })

  test('a renewal is conditional, and stores nothing when nothing changed', async (t) => {
    const { app, uplink, index } = await startProxy(t, { uplink: { crates: FOO } })
    for (let n = 0; n < 3; n++) assert.equal((await index('foo')).status, 200)
    const conditional = uplink.requests.filter(({ headers }) => headers['if-none-match'] !== undefined)
    assert.equal(conditional.length, 2)
    assert.deepEqual(await app.stored('upstream/'), ['upstream/up/3/f/foo/00000001.json'])
  })

  test('the newest two copies are kept', async (t) => {
    const { app, uplink, index } = await startProxy(t, { uplink: { crates: FOO } })
    const kept: string[][] = []
    for (let n = 1; n <= 4; n++) {
      await index('foo')
      kept.push((await app.stored('upstream/')).map((key) => key.replace(/^.*\/0*|\.json$/g, '')))
      uplink.publish(crateFile('foo', `2.${n}.0`))
    }
    assert.deepEqual(kept, [['1'], ['1', '2'], ['2', '3'], ['3', '4']])
  })

  test('200 clients at once cause one request', async (t) => {
    const uplinkSpec = { crates: FOO, latencyMs: 20 }
    const { uplink, index } = await startProxy(t, { uplink: uplinkSpec, up: { maxage: '1m' } })
    const answers = await Promise.all(Array.from({ length: 200 }, () => index('foo')))
    assert.deepEqual(
      [...new Set(answers.map(({ status, text }) => status + text))],
      [`200${bodyAt(uplink, 'foo')}`],
    )
    assert.equal(uplink.hits(uplink.indexPath('foo')), 1)
  })

  test('a cold file costs one request, however slowly the store finds nothing', async (t) => {
    const slow = watchedStore()
    const storage = {
      ...slow,
      async *list(...args: Parameters<typeof slow.list>) {
        const found: ListedObject[] = []
        for await (const object of slow.list(...args)) found.push(object)
        await sleep(Math.random() * 20)
        yield* found
      },
    }
    const { uplink, index } = await startProxy(t, {
      uplink: { crates: FOO },
      up: { maxage: '1m' },
      host: { storage },
    })
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        await sleep(n)
        return index('foo')
      }),
    )
    assert.ok(answers.every(({ status }) => status === 200))
    assert.equal(uplink.hits(uplink.indexPath('foo')), 1)
  })

  test('of two replicas that share a cache with locks, one asks', async (t) => {
    const uplink = await startUplink(t, { crates: FOO, latencyMs: 20 })
    const host = { storage: memoryStorage(), cache: lockingCache() }
    const options = { prefetch: 0, uplinks: { up: uplinkOptions(uplink, { maxage: '1m' }) } }
    const [one, other] = await Promise.all([startApp(t, { host, options }), startApp(t, { host, options })])
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => indexOf(n % 2 ? one : other, 'foo')),
    )
    assert.deepEqual([...new Set(answers.map(({ text }) => text))], [bodyAt(uplink, 'foo')])
    assert.equal(uplink.hits(uplink.indexPath('foo')), 1)
    const absent = await Promise.all([indexOf(one, 'bar'), indexOf(other, 'bar')])
    assert.deepEqual(
      absent.map(({ status }) => status),
      [404, 404],
    )
    assert.equal(host.cache.held.size, 0)
  })

  test('a replica that dies with the lock delays the others, no more', async (t) => {
    const cache = lockingCache()
    const { index } = await startProxy(t, { uplink: { crates: FOO }, host: { cache } })
    cache.held.add('upstream:up/foo')
    const freed = setTimeout(() => cache.held.clear(), 300)
    t.after(async () => clearTimeout(freed))
    assert.equal((await index('foo')).status, 200)
  })

  test('a replica that changes slept through follows what the others stored', async (t) => {
    const uplink = await startUplink(t, { crates: FOO })
    const storage = memoryStorage()
    const options = { prefetch: 0, uplinks: { up: uplinkOptions(uplink) } }
    const [one, other] = await Promise.all([
      startApp(t, { host: { storage }, options }),
      startApp(t, { host: { storage }, options }),
    ])
    await indexOf(other, 'foo')
    for (let n = 1; n <= 5; n++) {
      uplink.publish(crateFile('foo', `2.${n}.0`))
      await indexOf(one, 'foo')
    }
    // Only who saw version 2.3.0 before knows that it is not what it was.
    uplink.edit('foo', '2.3.0', (line) => line.replace(/"cksum":"../, '"cksum":"00'))
    const good = await indexOf(one, 'foo')
    assert.equal((await indexOf(other, 'foo')).text, good.text)
    assert.deepEqual(await alarmsOf(other), ['checksum_changed'])
    assert.equal((await keysOf(storage, 'upstream/up/')).length, 2)
  })

  test('a copy survives a restart, and the uplink is not needed', async (t) => {
    const storage = memoryStorage()
    const { app, uplink, index } = await startProxy(t, { uplink: { crates: FOO }, host: { storage } })
    const wanted = await index('foo')
    await app.close()
    await uplink.stop()
    const options = { prefetch: 0, uplinks: { up: uplinkOptions(uplink, { maxage: '1ms' }) } }
    for (const more of [{}, { offline: true }]) {
      const later = await startApp(t, { host: { storage }, options: { ...options, ...more } })
      const { status, text, headers } = await indexOf(later, 'foo')
      assert.deepEqual([status, text], [200, wanted.text])
      assert.match(headers.get('cache-status') ?? '', /^verdaccio-cargo; hit; ttl=-\d+; detail=stale$/)
      assert.equal((await indexOf(later, 'bar')).status, 503)
    }
  })

  test('a replica that may not call out serves what another one fetched', async (t) => {
    const storage = memoryStorage()
    const { uplink, index } = await startProxy(t, { uplink: { crates: FOO }, host: { storage } })
    const options = { prefetch: 0, offline: true, uplinks: { up: uplinkOptions(uplink) } }
    const offline = await startApp(t, { host: { storage }, options })
    assert.equal((await indexOf(offline, 'foo')).status, 503)
    await index('foo')
    assert.deepEqual(versionsIn(await indexOf(offline, 'foo')), ['1.0.0', '1.1.0'])
    uplink.publish(crateFile('foo', '2.0.0'))
    await index('foo')
    await until(async () => versionsIn(await indexOf(offline, 'foo')), ['1.0.0', '1.1.0', '2.0.0'])
  })

  test('a store that takes nothing keeps no file from being served, and gets it when it is well', async (t) => {
    let full = true
    const inner = watchedStore()
    const storage = {
      ...inner,
      async put(...args: Parameters<typeof inner.put>) {
        if (full && args[0].startsWith('upstream/')) throw new Error('no space left on device')
        return inner.put(...args)
      },
    }
    const { app, index } = await startProxy(t, { uplink: { crates: FOO }, host: { storage } })
    assert.equal((await index('foo')).status, 200)
    assert.deepEqual(await app.stored('upstream/'), [])
    full = false
    assert.equal((await index('foo')).status, 200)
    assert.deepEqual(await app.stored('upstream/'), ['upstream/up/3/f/foo/00000001.json'])
  })

  test('what the uplink has no file for does not exist', async (t) => {
    const { app, index } = await startProxy(t, { uplink: { crates: [crateFile('foo_bar')] } })
    for (const name of ['bar', 'foo-bar']) {
      const answer = await index(name)
      assert.deepEqual([answer.status, detailOf(answer)], [404, `crate \`${name}\` does not exist`])
      assert.equal(answer.headers.get('cache-control'), 'no-store')
    }
    assert.equal((await index('foo_bar')).status, 200)
    const versions = await app.request('/api/v1/crates/foo_bar/9.9.9/download')
    assert.deepEqual(
      [versions.status, detailOf(versions)],
      [404, 'crate `foo_bar` does not have a version `9.9.9`'],
    )
    assert.equal((await app.request('/api/v1/crates/Foo_Bar/1.0.0/download')).status, 404)
  })

  test('a version that nobody can look for is not said to be absent', async (t) => {
    const { app, uplink, index } = await startProxy(t, { uplink: { crates: FOO }, up: { maxage: '1ms' } })
    await index('foo')
    await sleep(1_010)
    await uplink.stop()
    const { status, headers } = await app.request('/api/v1/crates/foo/2.0.0/download')
    assert.deepEqual([status, headers.get('retry-after')], [503, '2'])
    assert.equal((await app.request('/api/v1/crates/Foo/1.0.0/download')).status, 404)
  })
})
