import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer as readAll } from 'node:stream/consumers'
import { after, beforeEach, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ObjectStore } from '../../src/host.ts'
import { type S3Options, s3Storage } from '../../src/hosts/s3.ts'
import { content, keys } from '../../src/testing/stored-objects.ts'
import { type Fault, faultProxy, type ProxiedRequest } from './s3-fault-proxy.ts'
import { s3Server } from './s3-server.ts'

const WRITERS = 64
const MiB = 1024 * 1024
const AWAY = { name: 'CargoError', code: 'unavailable' }
const SLOW_DOWN: Fault = { kind: 'answer', status: 503, code: 'SlowDown' }
const CONFLICT: Fault = { kind: 'answer', status: 409, code: 'ConditionalRequestConflict' }
/** Every call on an object that may or may not be there. */
const CALLS: Readonly<Record<string, (store: ObjectStore) => Promise<unknown>>> = {
  get: (store) => store.get('a'),
  'get of a range': (store) => store.get('a', { start: 1, end: 2 }),
  stat: (store) => store.stat('a'),
  put: (store) => store.put('a', Buffer.from('new')),
  'put if absent': (store) => store.put('b', Buffer.from('new'), { ifAbsent: true }),
  delete: (store) => store.delete('a'),
  list: (store) => keys(store, ''),
}

const server = await s3Server()
const proxy = await faultProxy(server.url)
after(async () => {
  await proxy.close()
  await server.close()
})
beforeEach(() => {
  proxy.plan(() => undefined)
  proxy.take()
})

test('409 is tried again until the object is there, and not for ever', async (t) => {
  const store = await open(t)
  proxy.plan(first(3, isPut, CONFLICT))
  assert.equal(await store.put('a', Buffer.from('mine'), { ifAbsent: true }), true)
  assert.equal((await content(store, 'a'))?.toString(), 'mine')
  proxy.plan(always(isPut, CONFLICT))
  assert.equal(await store.put('a', Buffer.from('other'), { ifAbsent: true }), false)
  await assert.rejects(store.put('b', Buffer.from('mine'), { ifAbsent: true }), AWAY)
  proxy.plan(() => undefined)
  assert.deepEqual(await keys(store, ''), ['a'])
})

test('412 for an object that is not there is tried again, and so is a put whose body is cut', async (t) => {
  const store = await open(t)
  const faults: readonly Fault[] = [
    { kind: 'answer', status: 412, code: 'PreconditionFailed' },
    { kind: 'cut-request' },
  ]
  for (const [number, fault] of faults.entries()) {
    proxy.plan(first(2, isPut, fault))
    assert.equal(await store.put(`a/${number}`, randomBytes(300_000), { ifAbsent: true }), true)
    assert.equal((await store.stat(`a/${number}`))?.size, 300_000)
    proxy.plan(always(isPut, fault))
    await assert.rejects(store.put(`b/${number}`, randomBytes(300_000), { ifAbsent: true }), AWAY)
  }
  proxy.plan(() => undefined)
  assert.deepEqual(await keys(store, ''), ['a/0', 'a/1'])
})

test('a lost answer to a put is no lost win, nor a win that was none', async (t) => {
  const store = await open(t)
  for (const [key, times] of [
    ['once', 1],
    ['always', 99],
  ] as const) {
    proxy.plan(first(times, isPut, { kind: 'lost' }))
    assert.equal(await store.put(key, Buffer.from('mine'), { ifAbsent: true }), true, key)
    assert.equal((await content(store, key))?.toString(), 'mine')
    assert.equal(await store.put(key, Buffer.from('other'), { ifAbsent: true }), false, key)
    assert.equal(await store.put(key, Buffer.from('mine'), { ifAbsent: true }), false, 'the same bytes')
    assert.equal((await content(store, key))?.toString(), 'mine')
    assert.equal(await store.put(key, Buffer.from('new')), true, 'without a condition')
    assert.equal((await content(store, key))?.toString(), 'new')
  }
})

test('64 writers have one winner while every other answer is lost, and 409 and 503 are between', async (t) => {
  const store = await open(t)
  const faults = [{ kind: 'lost' }, undefined, CONFLICT, { kind: 'lost' }, SLOW_DOWN, undefined] as const
  for (let round = 0; round < 3; round++) {
    let count = round
    proxy.plan((request) => (isPut(request) ? faults[count++ % faults.length] : undefined))
    const key = `race/${round}`
    const names = Array.from({ length: WRITERS }, (_, writer) => `writer ${writer}`)
    const ends = await Promise.allSettled(
      names.map((name) => store.put(key, Buffer.from(name), { ifAbsent: true })),
    )
    proxy.plan(() => undefined)
    const holder = (await content(store, key))?.toString()
    for (const [writer, end] of ends.entries()) {
      if (end.status === 'rejected') assert.equal(end.reason.code, 'unavailable')
      else assert.equal(end.value, names[writer] === holder, `${names[writer]} and ${holder}`)
    }
  }
})

test('a write that arrives after its deadline is not called absent', async (t) => {
  const store = await open(t, { timeout: 300 })
  proxy.plan(always(isPut, { kind: 'late', ms: 700 }))
  await assert.rejects(store.put('a', Buffer.from('mine'), { ifAbsent: true }), AWAY)
  await sleep(1_000)
  proxy.plan(() => undefined)
  assert.equal((await content(store, 'a'))?.toString(), 'mine')
  assert.equal(await store.put('a', Buffer.from('other'), { ifAbsent: true }), false)
})

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name}: failures of the store are told as such, never as absence`, async (t) => {
    const store = await open(t, { timeout: 400 })
    await store.put('a', Buffer.from('old'))
    const faults: readonly Fault[] = [
      SLOW_DOWN,
      { kind: 'answer', status: 500, code: 'InternalError' },
      { kind: 'answer', status: 403, code: 'AccessDenied' },
      { kind: 'answer', status: 404, code: 'NoSuchBucket' },
      { kind: 'answer', status: 404, body: '<html>not here</html>' },
      { kind: 'answer', status: 404, body: '' },
      { kind: 'silent' },
    ]
    for (const fault of faults) {
      proxy.plan(() => fault)
      await assert.rejects(call(store), AWAY, JSON.stringify(fault))
    }
    proxy.plan(() => undefined)
    assert.equal((await content(store, 'a'))?.toString(), 'old')
  })

  test(`${name}: one 503 and one lost answer are made up for`, async (t) => {
    const store = await open(t)
    await store.put('a', Buffer.from('old'))
    for (const fault of [SLOW_DOWN, { kind: 'lost' }] as const) {
      proxy.plan(first(1, () => true, fault))
      await call(store)
      await store.put('a', Buffer.from('old'))
      await store.delete('b')
    }
  })
}

test('a body that is cut, however it is framed, has no end', async (t) => {
  const store = await open(t)
  const bytes = randomBytes(200_000)
  await store.put('a', bytes)
  for (const cut of [0, 1, 100_000, 199_999]) {
    for (const reframed of [false, true]) {
      proxy.plan(() => ({ kind: 'cut-answer', bytes: cut, reframed }))
      const reading = async () => {
        const object = await store.get('a')
        assert.ok(object)
        return readAll(object.body)
      }
      await assert.rejects(reading(), AWAY, `${cut} ${reframed}`)
    }
  }
})

test('a body that is stuck is given up, one that is slow or read slowly is not', async (t) => {
  const store = await open(t, { timeout: 400 })
  const bytes = randomBytes(2 * MiB)
  await store.put('a', bytes)
  proxy.plan(() => ({ kind: 'stuck', bytes: 1000 }))
  const stuck = await store.get('a')
  assert.ok(stuck)
  await assert.rejects(readAll(stuck.body), AWAY)
  proxy.plan(() => ({ kind: 'slow' }))
  const slow = await store.get('a')
  assert.ok(slow && (await readAll(slow.body)).equals(bytes))
  proxy.plan(() => undefined)
  const object = await store.get('a')
  const read: Buffer[] = []
  for await (const chunk of object?.body ?? []) {
    if (read.length === 2) await sleep(900)
    read.push(chunk)
  }
  assert.ok(Buffer.concat(read).equals(bytes))
})

test('a list that is cut is no shorter list, and one of many pages is whole', async (t) => {
  const store = await open(t)
  const written = Array.from({ length: 1_100 }, (_, number) => `many/${String(number).padStart(5, '0')}`)
  for (let at = 0; at < written.length; at += 100) {
    await Promise.all(written.slice(at, at + 100).map((key) => store.put(key, Buffer.from('x'))))
  }
  assert.deepEqual(await keys(store, 'many/'), written)
  assert.deepEqual(await keys(store, 'many/', 'many/00049'), written.slice(50))
  for (const reframed of [false, true]) {
    proxy.plan(() => ({ kind: 'cut-answer', bytes: 20_000, reframed }))
    await assert.rejects(keys(store, 'many/'), AWAY)
  }
  let pages = 0
  proxy.plan(() => (pages++ === 0 ? undefined : SLOW_DOWN))
  await assert.rejects(keys(store, 'many/'), AWAY)
})

test('a large stream is whole although parts are cut, refused and lost, and so is its end', async (t) => {
  const store = await open(t)
  const bytes = randomBytes(12 * MiB)
  const faults: readonly [string, (request: ProxiedRequest) => Fault | undefined][] = [
    ['a part is cut', first(1, isPart, { kind: 'cut-request' })],
    ['a part is refused', first(2, isPart, SLOW_DOWN)],
    ['the answer to a part is lost', first(1, isPart, { kind: 'lost' })],
    ['the answer to the end is lost', first(1, isEnd, { kind: 'lost' })],
    ['every answer to the end is lost', always(isEnd, { kind: 'lost' })],
    ['there is a conflict at the end', first(2, isEnd, CONFLICT)],
  ]
  for (const [index, [name, plan]] of faults.entries()) {
    proxy.plan(plan)
    const ifAbsent = index % 2 === 0 || name.includes('end')
    assert.equal(await store.put(`big/${index}`, stream(bytes), { ifAbsent }), true, name)
    proxy.plan(() => undefined)
    assert.ok((await content(store, `big/${index}`))?.equals(bytes), name)
    assert.equal(await store.put(`big/${index}`, stream(bytes), { ifAbsent: true }), false, name)
  }
})

test('a large stream that cannot be stored leaves nothing, and gives its parts back', async (t) => {
  const store = await open(t)
  const faults: readonly [string, (request: ProxiedRequest) => Fault | undefined][] = [
    ['parts are refused', always(isPart, SLOW_DOWN)],
    ['the second part is refused', always((request) => request.query.get('partNumber') === '2', SLOW_DOWN)],
    ['the end is refused', always(isEnd, { kind: 'answer', status: 403, code: 'AccessDenied' })],
    ['the end fails late', always(isEnd, { kind: 'answer', status: 200, code: 'InternalError' })],
    ['conflict without end', always(isEnd, CONFLICT)],
  ]
  for (const [name, plan] of faults) {
    proxy.take()
    proxy.plan(plan)
    await assert.rejects(store.put('a', stream(randomBytes(12 * MiB)), { ifAbsent: true }), AWAY, name)
    const given = proxy.take().filter(({ method, query }) => method === 'DELETE' && query.has('uploadId'))
    assert.equal(given.length, 1, name)
  }
  proxy.plan(() => undefined)
  assert.deepEqual(await keys(store, ''), [])
})

test('hundreds of calls with faults between give right answers or none', async (t) => {
  const store = await open(t, { timeout: 1_000 })
  const wanted = new Map<string, string>()
  let count = 0
  const faults: readonly (Fault | undefined)[] = [
    ...Array<undefined>(9).fill(undefined),
    ...([SLOW_DOWN, { kind: 'lost' }, { kind: 'cut-answer', bytes: 3 }, { kind: 'cut-request' }] as const),
    ...([SLOW_DOWN, SLOW_DOWN, SLOW_DOWN] as const),
  ]
  // Requests without a body are never cut in it.
  const fits = (fault: Fault | undefined, { method }: ProxiedRequest) =>
    fault?.kind !== 'cut-request' || method === 'PUT'
  proxy.plan((request) => {
    const fault = faults[(count++ * 7) % faults.length]
    return fits(fault, request) ? fault : undefined
  })
  let away = 0
  async function one(number: number): Promise<void> {
    const key = `k/${number}`
    const text = `text ${number}`.repeat(1 + (number % 50))
    try {
      assert.equal(await store.put(key, Buffer.from(text), { ifAbsent: true }), true)
      wanted.set(key, text)
      const object = await store.get(key)
      assert.ok(object, key)
      assert.equal((await readAll(object.body)).toString(), text)
      assert.equal((await store.stat(key))?.size, text.length)
      assert.equal(await store.put(key, Buffer.from('other'), { ifAbsent: true }), false)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'unavailable')) throw error
      away += 1
    }
  }
  for (let at = 0; at < 100; at += 25) await Promise.all(Array.from({ length: 25 }, (_, i) => one(at + i)))
  proxy.plan(() => undefined)
  for (const [key, text] of wanted) assert.equal((await content(store, key))?.toString(), text)
  assert.ok(wanted.size > 30 && away > 0, `${wanted.size} written, ${away} calls failed`)
})

async function open(context: TestContext, options: Partial<S3Options> = {}): Promise<ObjectStore> {
  const store = await s3Storage({ ...server.options(proxy.url), timeout: 5_000, ...options })
  context.after(() => store.close())
  return store
}

function stream(bytes: Buffer): Readable {
  return Readable.from(
    (function* pieces() {
      for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
    })(),
  )
}

function first(times: number, matches: (request: ProxiedRequest) => boolean, fault: Fault) {
  let left = times
  return (request: ProxiedRequest) => (matches(request) && left-- > 0 ? fault : undefined)
}

function always(matches: (request: ProxiedRequest) => boolean, fault: Fault) {
  return first(Number.POSITIVE_INFINITY, matches, fault)
}

function isPut({ method }: ProxiedRequest): boolean {
  return method === 'PUT'
}

function isPart({ query }: ProxiedRequest): boolean {
  return query.has('partNumber')
}

function isEnd({ method, query }: ProxiedRequest): boolean {
  return method === 'POST' && query.has('uploadId')
}
