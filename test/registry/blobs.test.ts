import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CargoEvent, ObjectStore } from '../../src/host.ts'
import { fsStorage } from '../../src/hosts/fs.ts'
import { type Blobs, createBlobs } from '../../src/registry/blobs.ts'
import { blobKey } from '../../src/registry/keys.ts'
import { watchedStore } from '../support/watched-store.ts'

const SMALL = randomBytes(1000)
const LARGE = randomBytes(700 * 1024)
const BOTH = [SMALL, LARGE]
const monotonic = () => performance.now()
const logger = { debug() {}, info() {}, warn() {}, error() {} }

interface Setup {
  readonly blobs: Blobs
  readonly store: ReturnType<typeof watchedStore>
  readonly events: Omit<CargoEvent, 'at'>[]
}

/** Over files, whose streams come in pieces. */
async function setUp(t: TestContext): Promise<Setup> {
  const folder = await mkdtemp(join(tmpdir(), 'blobs-'))
  t.after(() => rm(folder, { recursive: true }))
  return over(watchedStore(fsStorage(folder)))
}

function over(store: ReturnType<typeof watchedStore>): Setup {
  const events: Omit<CargoEvent, 'at'>[] = []
  return {
    blobs: createBlobs({ storage: store, logger, emit: (event) => events.push(event), monotonic }),
    store,
    events,
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function flipped(bytes: Buffer, position: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[position] = (copy[position] ?? 0) ^ 1
  return copy
}

/** What a client gets, however it ends. */
async function received(
  blobs: Blobs,
  sum: string,
): Promise<{ readonly bytes: number; readonly code: string }> {
  let bytes = 0
  try {
    const blob = await blobs.get(sum)
    for await (const chunk of blob?.body ?? []) bytes += chunk.length
  } catch (error) {
    return { bytes, code: error instanceof Error && 'code' in error ? String(error.code) : '' }
  }
  return { bytes, code: 'complete' }
}

test('get() gives back what put() took', async (t) => {
  const { blobs } = await setUp(t)
  for (const bytes of BOTH) {
    const sum = sha256(bytes)
    assert.equal(await blobs.get(sum), undefined)
    assert.equal(await blobs.stat(sum), undefined)
    await blobs.put(sum, Readable.from([bytes]))
    assert.equal((await blobs.stat(sum))?.size, bytes.length)
    for (let time = 0; time < 2; time++) {
      const blob = await blobs.get(sum)
      assert.equal(blob?.size, bytes.length)
      assert.ok(blob && bytes.equals(await buffer(blob.body)))
    }
  }
})

test('put() lets go of bytes that the store did not take', async (t) => {
  const { blobs, store } = await setUp(t)
  const body = Readable.from([SMALL])
  store.away(true)
  await assert.rejects(blobs.put(sha256(SMALL), body), /the store is away/)
  assert.ok(body.destroyed)
})

test('stat() forgets damage that somebody else mended', async (t) => {
  for (const bytes of BOTH) {
    const { blobs, store } = await setUp(t)
    const sum = sha256(bytes)
    await store.put(blobKey(sum), flipped(bytes, 7))
    assert.equal((await received(blobs, sum)).code, 'unavailable')
    await blobs.stat(sum)
    assert.ok(blobs.isDamaged(sum))
    assert.deepEqual(await received(blobs, sum), { bytes: 0, code: 'unavailable' }, 'now nothing is sent')
    await sleep(5)
    await store.put(blobKey(sum), bytes)
    await blobs.stat(sum)
    assert.ok(!blobs.isDamaged(sum))
    assert.equal((await received(blobs, sum)).code, 'complete')
  }
})

test('get() gives ranges of verified bytes', async (t) => {
  const { blobs } = await setUp(t)
  for (const bytes of BOTH) {
    const sum = sha256(bytes)
    await blobs.put(sum, Readable.from([bytes]))
    for (const range of [
      { start: 0, end: 1 },
      { start: 10, end: 500 },
      { start: bytes.length - 1, end: bytes.length },
    ]) {
      const blob = await blobs.get(sum, range)
      assert.equal(blob?.size, bytes.length)
      assert.deepEqual(blob && (await buffer(blob.body)), bytes.subarray(range.start, range.end))
    }
  }
})

test('get() never completes a damaged blob', async (t) => {
  for (const bytes of BOTH) {
    const sum = sha256(bytes)
    const damaged = [
      flipped(bytes, 0),
      flipped(bytes, bytes.length >> 1),
      flipped(bytes, bytes.length - 1),
      bytes.subarray(0, -1),
      Buffer.concat([bytes, Buffer.from([0])]),
      Buffer.alloc(0),
    ]
    for (const wrong of damaged) {
      const { blobs, store, events } = await setUp(t)
      await store.put(blobKey(sum), wrong)
      const { bytes: got, code } = await received(blobs, sum)
      assert.equal(code, 'unavailable')
      assert.ok(got <= Math.max(0, wrong.length - 64 * 1024), `${got} of ${wrong.length} bytes`)
      await assert.rejects(blobs.get(sum, { start: 0, end: 1 }), { code: 'unavailable' })
      assert.deepEqual(
        events.map(({ kind, detail }) => [kind, detail?.['sha256']]),
        [
          ['integrity', sum],
          ['integrity', sum],
        ],
      )
    }
  }
})

test('get() verifies once, and again what has changed', async (t) => {
  for (const bytes of BOTH) {
    const { blobs, store } = await setUp(t)
    const sum = sha256(bytes)
    await store.put(blobKey(sum), bytes)
    assert.equal((await received(blobs, sum)).code, 'complete')
    store.reads.length = 0
    await (await blobs.get(sum, { start: 0, end: 1 }))?.body.toArray()
    assert.equal(store.reads.length, 1, 'a range of a verified blob is read by itself')
    await sleep(5)
    await store.put(blobKey(sum), flipped(bytes, 7))
    assert.equal((await received(blobs, sum)).code, 'unavailable')
    await sleep(5)
    await blobs.put(sum, Readable.from([bytes]))
    assert.equal((await received(blobs, sum)).code, 'complete')
  }
})

test('get() reads a large blob once for a crowd that does not wait for a slow reader', async (t) => {
  const { blobs, store } = await setUp(t)
  const sum = sha256(LARGE)
  await store.put(blobKey(sum), LARGE)
  const slow = await blobs.get(sum)
  await slow?.body[Symbol.asyncIterator]().next()
  store.reads.length = 0
  const crowd = await Promise.all(Array.from({ length: 20 }, () => blobs.get(sum)))
  // Each sees how large it is, one verifies it for all, and then each has its own.
  assert.equal(store.reads.length, 20 + 1 + 20)
  for (const blob of crowd) assert.deepEqual(blob && (await buffer(blob.body)), LARGE)
  slow?.body.destroy()
})

test('get() gives nothing of a damaged blob to a crowd but its first', async (t) => {
  const { blobs, store, events } = await setUp(t)
  const sum = sha256(LARGE)
  await store.put(blobKey(sum), flipped(LARGE, LARGE.length - 1))
  const first = await blobs.get(sum)
  const crowd = await Promise.allSettled(Array.from({ length: 20 }, () => blobs.get(sum)))
  for (const one of crowd) {
    assert.equal(one.status, 'rejected')
    assert.equal(one.reason.code, 'unavailable')
  }
  assert.equal(events.length, 1)
  assert.ok(first)
  await assert.rejects(buffer(first.body), { code: 'unavailable' })
})

test('get() closes the stored object when its body is destroyed, read or not', async () => {
  for (const readsFirst of [false, true]) {
    const bodies: Readable[] = []
    const inner = watchedStore()
    const store: ObjectStore = {
      ...inner,
      async get(key, range) {
        const object = await inner.get(key, range)
        if (object === undefined) return undefined
        const half = LARGE.length >> 1
        const body = Readable.from([LARGE.subarray(0, half), LARGE.subarray(half)], { objectMode: false })
        bodies.push(body)
        return { ...object, body }
      },
    }
    const blobs = createBlobs({ storage: store, logger, emit: () => {}, monotonic })
    const sum = sha256(LARGE)
    await blobs.put(sum, Readable.from([LARGE]))
    const blob = await blobs.get(sum)
    if (readsFirst) await blob?.body[Symbol.asyncIterator]().next()
    blob?.body.destroy()
    if (blob) await finished(blob.body).catch(() => {})
    await sleep(5)
    assert.deepEqual(
      bodies.map(({ destroyed }) => destroyed),
      [true],
      `reads first: ${readsFirst}`,
    )
  }
})

test('keep() has what was just brought here at hand, as long as it is what is stored', async (t) => {
  const { blobs, store } = await setUp(t)
  const sum = sha256(SMALL)
  await blobs.keep(sum, SMALL)
  store.reads.length = 0
  const kept = await blobs.ready(sum)
  assert.deepEqual([kept?.bytes, kept?.size, store.reads], [SMALL, SMALL.length, []])
  await sleep(5)
  await store.put(blobKey(sum), flipped(SMALL, 7))
  await sleep(1_100)
  assert.equal(await blobs.ready(sum), undefined)
  for (const [bytes, isThere] of [
    [LARGE, false],
    [SMALL.subarray(1), true],
  ] as const) {
    const other = sha256(bytes)
    if (isThere) await store.put(blobKey(other), SMALL)
    await blobs.keep(other, bytes)
    assert.equal(await blobs.ready(other), undefined)
  }
})

test('open() reads small blobs that nobody has read, once for a crowd, and no others', async (t) => {
  const { blobs, store } = await setUp(t)
  const [small, large] = [sha256(SMALL), sha256(LARGE)]
  assert.equal(await blobs.open(small), 'absent')
  await store.put(blobKey(small), SMALL)
  await store.put(blobKey(large), LARGE)
  const crowd = await Promise.all(Array.from({ length: 20 }, () => blobs.open(small)))
  for (const one of crowd) assert.equal(one, crowd[0])
  assert.ok(typeof crowd[0] === 'object' && 'bytes' in crowd[0])
  assert.deepEqual(crowd[0].bytes, SMALL)
  assert.equal((await blobs.ready(small))?.bytes, crowd[0].bytes)
  assert.equal(await blobs.open(large), undefined)
})

test('open() leaves what is damaged to get(), which tells of it once', async (t) => {
  const { blobs, store, events } = await setUp(t)
  const sum = sha256(SMALL)
  for (const wrong of [flipped(SMALL, 7), SMALL.subarray(1), Buffer.concat([SMALL, SMALL])]) {
    await store.put(blobKey(sum), wrong)
    assert.equal(await blobs.open(sum), undefined)
    assert.equal(await blobs.ready(sum), undefined)
    assert.deepEqual(events, [])
    assert.equal((await received(blobs, sum)).code, 'unavailable')
    assert.equal(events.splice(0).length, 1)
    assert.equal(await blobs.open(sum), undefined)
    await blobs.put(sum, SMALL)
    assert.deepEqual(await received(blobs, sum), { bytes: SMALL.length, code: 'complete' })
    await blobs.put(sum, SMALL)
  }
})
