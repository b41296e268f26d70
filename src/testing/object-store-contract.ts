import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer as readAll } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ObjectStore } from '../host.ts'
import { lists } from './object-store-lists.ts'
import { streams } from './object-store-streams.ts'
import { type Check, content, keys } from './stored-objects.ts'

const MiB = 1024 * 1024
const WRITERS = 64
const ROUNDS = 20

/** A new, empty store; what it needs to be taken down goes to `context.after`. */
export type StoreFactory = (context: TestContext) => ObjectStore | Promise<ObjectStore>

export interface ContractOptions {
  /** Whether streams pass through without being held whole; not asked of stores that live in memory. */
  readonly boundedMemory?: boolean
}

/** What every `ObjectStore` must do, as tests named after the store. */
export function objectStoreContract(
  name: string,
  factory: StoreFactory,
  options: ContractOptions = {},
): void {
  function check(title: string, body: (store: ObjectStore) => Promise<void>): void {
    test(`${name}: ${title}`, async (context) => body(await factory(context)))
  }
  readsAndWrites(check)
  creates(check)
  streams(check, options.boundedMemory ?? true)
  lists(check)
  refuses(check)
}

function readsAndWrites(check: Check): void {
  check('put() stores what get(), stat() and open() give back', async (store) => {
    const before = Date.now() - 5000
    for (const bytes of [Buffer.alloc(0), Buffer.from('x'), randomBytes(200_000)]) {
      const key = `blobs/sha256/ab/${bytes.length}`
      assert.equal(await store.put(key, bytes), true)
      assert.deepEqual(await content(store, key), bytes)
      const info = await store.stat(key)
      assert.equal(info?.size, bytes.length)
      assert.ok(info.modified.getTime() >= before && info.modified.getTime() < Date.now() + 5000)
    }
  })

  check('get(), stat(), open() are undefined when the object is absent', async (store) => {
    await store.put('a/b', Buffer.from('x'))
    for (const key of ['a/c', 'b', 'b/c/d']) {
      assert.equal(await store.get(key), undefined)
      assert.equal(await store.stat(key), undefined)
      assert.equal(await store.open?.(key), undefined)
    }
  })

  check('put() replaces an object and renews its time', async (store) => {
    await store.put('a/b', Buffer.from('long before'))
    const first = await store.stat('a/b')
    await sleep(20)
    assert.equal(await store.put('a/b', Buffer.from('new')), true)
    const second = await store.stat('a/b')
    assert.equal((await content(store, 'a/b'))?.toString(), 'new')
    assert.ok(first !== undefined && second !== undefined && second.modified >= first.modified)
  })

  check('put() keeps its own bytes when the caller changes its buffer afterwards', async (store) => {
    const bytes = Buffer.from('before')
    await store.put('a', bytes)
    bytes.fill('x')
    assert.equal((await content(store, 'a'))?.toString(), 'before')
  })

  check('get() gives the range asked for and the size of the whole', async (store) => {
    const bytes = randomBytes(150_000)
    await store.put('a', bytes)
    const ranges = [
      [0, 1],
      [0, 150_000],
      [70_000, 140_000],
      [149_999, 150_000],
      [100, 100],
      [149_000, 200_000],
    ] as const
    for (const [start, end] of ranges) {
      const object = await store.get('a', { start, end })
      assert.equal(object?.size, bytes.length)
      assert.deepEqual(await readAll(object.body), bytes.subarray(start, end), `${start}-${end}`)
    }
  })

  check('open() reads at any position, and 0 bytes at the end', async (store) => {
    if (store.open === undefined) return
    await store.put('a', Buffer.from('0123456789'))
    const object = await store.open('a')
    assert.equal(object?.size, 10)
    for (const [position, wanted] of [
      [7, '789'],
      [2, '2345'],
      [10, ''],
      [99, ''],
    ] as const) {
      const into = new Uint8Array(4)
      const length = await object.read(into, position)
      assert.equal(Buffer.from(into.subarray(0, length)).toString(), wanted)
    }
    await object.close()
  })

  check(
    'get() goes on with the old bytes when the object is replaced or deleted meanwhile',
    async (store) => {
      const old = randomBytes(MiB)
      await store.put('a', old)
      const object = await store.get('a')
      assert.ok(object)
      await store.put('a', Buffer.from('new'))
      await store.delete('a')
      assert.ok((await readAll(object.body)).equals(old))
    },
  )

  check('delete() removes an object, and does nothing when it is absent', async (store) => {
    await store.put('a/b', Buffer.from('x'))
    await store.delete('a/b')
    await store.delete('a/b')
    await store.delete('no/such/folder')
    assert.equal(await store.stat('a/b'), undefined)
    assert.deepEqual(await keys(store, ''), [])
    assert.equal(await store.put('a/b', Buffer.from('y'), { ifAbsent: true }), true)
  })
}

function creates(check: Check): void {
  check('put() with ifAbsent leaves what is there', async (store) => {
    assert.equal(await store.put('a', Buffer.from('first'), { ifAbsent: true }), true)
    assert.equal(await store.put('a', Buffer.from('second'), { ifAbsent: true }), false)
    assert.equal(await store.put('a', Readable.from([Buffer.from('third')]), { ifAbsent: true }), false)
    assert.equal((await content(store, 'a'))?.toString(), 'first')
  })

  check(`put() with ifAbsent has one winner among ${WRITERS} writers, ${ROUNDS} times`, async (store) => {
    for (let round = 0; round < ROUNDS; round++) {
      const key = `race/${round}`
      const names = Array.from({ length: WRITERS }, (_, writer) => `writer ${writer}`)
      const won = await Promise.all(
        names.map((name) => store.put(key, Buffer.from(name), { ifAbsent: true })),
      )
      const winners = names.filter((_, index) => won[index])
      assert.deepEqual(winners, [(await content(store, key))?.toString()])
    }
    assert.equal((await keys(store, '')).length, ROUNDS)
  })

  check('put() shows nothing before what it comes `after`, if it heeds that', async (store) => {
    const bytes = Buffer.from('x')
    for (const options of [{}, { ifAbsent: true }, { durable: false }]) {
      const first = Promise.withResolvers<void>()
      if (!store.heedsAfter) first.resolve()
      const putting = store.put('a/b', bytes, { ...options, after: first.promise })
      await sleep(30)
      if (store.heedsAfter) assert.deepEqual(await keys(store, ''), [])
      first.resolve()
      assert.equal(await putting, true)
      assert.deepEqual(await content(store, 'a/b'), bytes)
      await store.delete('a/b')
    }
    if (!store.heedsAfter) return
    const failure = new Error('what comes before')
    for (const options of [{}, { ifAbsent: true }, { durable: false }]) {
      const putting = store.put('a/b', bytes, { ...options, after: Promise.reject(failure) })
      await assert.rejects(putting, (error) => error === failure)
    }
    assert.deepEqual(await keys(store, ''), [])
  })
}

function refuses(check: Check): void {
  check('every call refuses a key of another shape', async (store) => {
    const long = `${'a/'.repeat(256)}a`
    const bad = [
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      '../a',
      'a/../b',
      'a/./b',
      'a\\b',
      'a b',
      'ä',
      'a\0',
      '~a',
      'a/~b',
      'a%2e',
      'a\n',
      long,
    ]
    for (const key of bad) {
      const refusal = { name: 'CargoError', code: 'internal' }
      await assert.rejects(store.get(key), refusal, key)
      await assert.rejects(store.stat(key), refusal, key)
      await assert.rejects(store.put(key, Buffer.from('x')), refusal, key)
      await assert.rejects(store.put(key, Readable.from([Buffer.from('x')])), refusal, key)
      await assert.rejects(store.delete(key), refusal, key)
      if (store.open !== undefined) await assert.rejects(store.open(key), refusal, key)
    }
    for (const prefix of ['/', '../', 'a/../', 'a//', '~', 'a b', './a']) {
      await assert.rejects(keys(store, prefix), { code: 'internal' }, prefix)
    }
    assert.deepEqual(await keys(store, ''), [])
  })

  check('keys of 512 bytes and odd but allowed segments are kept', async (store) => {
    const allowed = [`${'a/'.repeat(255)}aa`, 'b'.repeat(200), '...', '.a', '-', 'c+1.0_x']
    for (const key of allowed) await store.put(key, Buffer.from(key))
    assert.deepEqual(await keys(store, ''), [...allowed].sort())
  })
}
