import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { MetadataCache } from '../../src/host.ts'
import { memoryCache } from '../../src/hosts/cache.ts'
import { redisCache } from '../../src/hosts/redis-cache.ts'
import type { RedisAddress } from '../../src/hosts/redis-client.ts'
import { type BoundedCacheOptions, boundedCache, type CacheResult } from '../../src/registry/bounded-cache.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { makeCertificate } from '../support/certificate.ts'
import { freePort } from '../support/free-port.ts'
import { redisCluster } from './redis-cluster.ts'
import { redisServer } from './redis-server.ts'

/** As the plugin uses it. */
function boundedRedis(url: RedisAddress, options?: BoundedCacheOptions) {
  const raw = redisCache(url)
  return { ...boundedCache(raw, options), close: raw.close }
}

async function redis(t: TestContext, options?: BoundedCacheOptions) {
  const server = await redisServer()
  const raw = redisCache(server.url)
  const cache = { ...boundedCache(raw, options), close: raw.close }
  t.after(async () => {
    await cache.close()
    await server.close()
  })
  // On a busy machine connecting takes longer than a call may take.
  await raw.get('nothing')
  return { server, cache }
}

async function timed<T>(run: () => Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const start = performance.now()
  const value = await run()
  return { value, ms: performance.now() - start }
}

/** Tries until the cache keeps what it is given, and gives it back. */
async function recovered(cache: MetadataCache): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    await cache.set('again', tries)
    if ((await cache.get('again')) === tries) return true
    await sleep(50)
  }
  return false
}

test('memoryCache() stays within its bytes and forgets in time', async () => {
  const cache = memoryCache({ maxBytes: 10_000 })
  for (let i = 0; i < 100; i++) await cache.set(`key ${i}`, 'x'.repeat(500))
  const kept = await Promise.all(Array.from({ length: 100 }, (_, i) => cache.get(`key ${i}`)))
  const count = kept.filter((value) => value !== undefined).length
  assert.ok(count > 3 && count < 10, `${count}`)
  assert.equal(kept[99], 'x'.repeat(500))
  await cache.set('large', 'x'.repeat(20_000))
  assert.equal(await cache.get('large'), undefined)
  await cache.set('short', 1, 20)
  assert.equal(await cache.get('short'), 1)
  await sleep(40)
  assert.equal(await cache.get('short'), undefined)
})

test('redisCache() keeps, shares, expires and locks', async (t) => {
  const { server, cache } = await redis(t)
  const other = boundedRedis(server.url)
  t.after(() => other.close())
  await cache.set('a', { b: 1 })
  await cache.set('short', 1, 50.5)
  assert.deepEqual(await other.get('a'), { b: 1 })
  assert.match(await server.command('KEYS', '*'), /^(?:\*2|\$\d+|verdaccio-cargo::(?:a|short)|\r\n)+$/)
  await other.delete('a')
  assert.equal(await cache.get('a'), undefined)
  const release = await cache.lock?.('x', 10_000)
  assert.equal(typeof release, 'function')
  assert.equal(await other.lock?.('x', 10_000), undefined)
  await release?.()
  const again = await other.lock?.('x', 10_000)
  assert.equal(typeof again, 'function')
  // The first holder's release must not end the second one's lock.
  await release?.()
  assert.equal(await cache.lock?.('x', 10_000), undefined)
  await sleep(60)
  assert.equal(await cache.get('short'), undefined)
})

test('redisCache() misses while Redis is killed, and recovers', async (t) => {
  const { server, cache } = await redis(t)
  await cache.set('a', 1)
  server.kill('SIGKILL')
  for (let i = 0; i < 20; i++) {
    const { value, ms } = await timed(() => cache.get('a'))
    if (i > 0) assert.equal(value, undefined)
    assert.ok(ms < 250, `${ms} ms`)
  }
  await server.start()
  assert.equal(await recovered(cache), true)
})

test('redisCache() misses while Redis hangs, and recovers', async (t) => {
  const results: CacheResult[] = []
  const { server, cache } = await redis(t, { onResult: (_, result) => results.push(result) })
  // Answers come in order: no earlier call that was given up still holds a place among those in flight.
  assert.equal(await recovered(cache), true)
  server.kill('SIGSTOP')
  results.length = 0
  const { value, ms } = await timed(() => Promise.all(Array.from({ length: 1000 }, () => cache.get('again'))))
  assert.ok(ms < 500, `${ms} ms`)
  assert.ok(value.every((answer) => answer === undefined))
  assert.deepEqual(new Set(results), new Set(['skipped', 'timeout']))
  assert.equal(results.filter((result) => result !== 'skipped').length, 64)
  assert.ok((await timed(() => cache.set('a', 2))).ms < 50)
  server.kill('SIGCONT')
  assert.equal(await recovered(cache), true)
})

test('redisCache() starts without Redis, and connects later', async (t) => {
  const server = await redisServer()
  await server.stop()
  const cache = boundedRedis(server.url)
  t.after(async () => {
    await cache.close()
    await server.close()
  })
  const { value, ms } = await timed(() => cache.get('a'))
  assert.equal(value, undefined)
  assert.ok(ms < 250, `${ms} ms`)
  assert.equal(typeof (await cache.lock?.('a', 100)), 'function')
  await server.start()
  assert.equal(await recovered(cache), true)
})

test('redisCache() starts while Redis hangs, and connects later', async (t) => {
  const server = await redisServer()
  server.kill('SIGSTOP')
  const cache = boundedRedis(server.url)
  t.after(async () => {
    await cache.close()
    await server.close()
  })
  const { value, ms } = await timed(() => Promise.all(['a', 'b'].map((key) => cache.get(key))))
  assert.deepEqual(value, [undefined, undefined])
  assert.ok(ms < 250, `${ms} ms`)
  server.kill('SIGCONT')
  assert.equal(await recovered(cache), true)
})

test('redisCache() refuses other URLs without repeating them', () => {
  for (const url of ['', 'secret', 'http://u:secret@host', 'redis://u:secret@host:99999', 'redis:secret']) {
    assert.throws(
      () => redisCache(url),
      (error: Error) =>
        /invalid redis url/.test(error.message) && !/secret/.test(String(error.cause) + error.message),
    )
  }
})

test('redisCache() takes garbage and FLUSHALL for misses', async (t) => {
  const results: CacheResult[] = []
  const { server, cache } = await redis(t, { onResult: (_, result) => results.push(result) })
  await cache.set('a', 1)
  const key = (await server.command('KEYS', '*')).split('\r\n')[2] ?? ''
  for (const garbage of ['{', 'x', '5', 'null', '[]', '"a"', '{}', ':base64:', '""']) {
    await server.command('SET', key, garbage.replaceAll('"', '\\"'))
    assert.equal(await cache.get('a'), undefined, garbage)
  }
  await server.command('DEL', key)
  await server.command('LPUSH', key, 'x')
  assert.equal(await cache.get('a'), undefined)
  await cache.set('a', 2)
  assert.equal(await cache.get('a'), 2)
  await server.command('FLUSHALL')
  assert.equal(await cache.get('a'), undefined)
  assert.equal(results.filter((result) => result !== 'ok').length, 1)
})

test('redisCache() misses after close()', async (t) => {
  const { cache } = await redis(t)
  await cache.set('a', 1)
  await cache.close()
  await cache.close()
  assert.equal(await cache.get('a'), undefined)
})

test('redisCache() keeps and locks in a cluster, also while a node is away', async (t) => {
  const cluster = await redisCluster()
  const [first, second] = cluster.nodes
  // One of them is enough to find the others, and the first that is asked may be away.
  const cache = boundedRedis(['redis://127.0.0.1:1', first?.url ?? ''])
  t.after(async () => {
    await cache.close()
    await cluster.close()
  })
  const keys = Array.from({ length: 30 }, (_, n) => `key-${n}`)
  const found = async () => (await Promise.all(keys.map((key) => cache.get(key)))).filter(Boolean).length
  await Promise.all(keys.map((key) => cache.set(key, key)))
  assert.equal(await found(), keys.length)
  for (const node of cluster.nodes) assert.notEqual(await node.command('DBSIZE'), ':0\r\n')
  for (const key of keys.slice(0, 5)) {
    const release = await cache.lock?.(key, 10_000)
    assert.equal(typeof release, 'function')
    assert.equal(await cache.lock?.(key, 10_000), undefined)
    await release?.()
    assert.equal(typeof (await cache.lock?.(key, 10_000)), 'function')
  }
  await second?.stop()
  const { ms } = await timed(found)
  assert.ok(ms < 2_000, `${ms} ms`)
})

test('redisCache() starts while a cluster is away, and connects later', async (t) => {
  const cluster = await redisCluster()
  await Promise.all(cluster.nodes.map((node) => node.stop()))
  const cache = boundedRedis(cluster.nodes.map(({ url }) => url))
  t.after(async () => {
    await cache.close()
    await cluster.close()
  })
  assert.equal(await cache.get('a'), undefined)
  await Promise.all(cluster.nodes.map((node) => node.start()))
  assert.equal(await recovered(cache), true)
})

test('redisCache() speaks TLS, with a password, and only to a server whose certificate is right', async (t) => {
  const folder = await temporaryFolder(t)
  const { certFile, keyFile } = await makeCertificate(folder)
  const port = await freePort()
  const tls = ['--tls-port', `${port}`, '--tls-cert-file', certFile, '--tls-key-file', keyFile]
  const server = await redisServer([...tls, '--tls-auth-clients', 'no'])
  t.after(() => server.close())
  await server.command('CONFIG', 'SET', 'requirepass', 'hush')
  const ask = async (environment: Readonly<Record<string, string>>) => {
    const args = [join(import.meta.dirname, 'redis-client-process.ts'), `rediss://:hush@127.0.0.1:${port}`]
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: { ...process.env, ...environment },
    })
    return stdout
  }
  assert.equal(await ask({ NODE_EXTRA_CA_CERTS: certFile }), 'kept\n')
  assert.equal(await ask({}), 'redis is not connected\n')
})
