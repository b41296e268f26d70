import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { CargoError } from '../errors.ts'
import { type Check, content, keys } from './stored-objects.ts'

const MiB = 1024 * 1024
const STREAM_BYTES = 20 * MiB
const STREAM_CHUNK = 64 * 1024
const MAX_HELD_BYTES = 6 * MiB // far less than a stream, more than two chunks on their way and the noise of the runner

/** The part of the contract about streams in and out. */
export function streams(check: Check, boundedMemory: boolean): void {
  check('put() of a stream that fails half-way leaves nothing and passes the failure on', async (store) => {
    const failure = new CargoError('too_large', 'the source says no')
    async function* halfway(): AsyncGenerator<Buffer> {
      yield randomBytes(STREAM_CHUNK)
      await sleep(5)
      throw failure
    }
    await store.put('kept', Buffer.from('old'))
    for (const ifAbsent of [true, false]) {
      await assert.rejects(store.put('a/b', Readable.from(halfway()), { ifAbsent }), failure)
    }
    await assert.rejects(store.put('kept', Readable.from(halfway())), failure)
    assert.equal((await content(store, 'kept'))?.toString(), 'old')
    assert.deepEqual(await keys(store, ''), ['kept'])
  })

  check('put() of a stream that is cut, or failed already, leaves nothing', async (store) => {
    const cut = new Readable({ read() {} })
    cut.push(Buffer.from('half'))
    const cutting = assert.rejects(store.put('a/cut', cut))
    await sleep(20)
    cut.destroy()
    await cutting
    const early = new Readable({ read() {} })
    const failing = assert.rejects(store.put('a/early', early))
    early.destroy(new Error('gone before anybody read'))
    await failing
    assert.deepEqual(await keys(store, ''), [])
  })

  check('streams of 20 MB come back whole', async (store) => {
    const source = createHash('sha256')
    const held: number[] = []
    assert.equal(await store.put('big', Readable.from(largeSource(source, held))), true)
    const object = await store.get('big')
    assert.equal(object?.size, STREAM_BYTES)
    const back = createHash('sha256')
    const before = heldBytes()
    let seen = 0
    for await (const chunk of object.body) {
      back.update(chunk)
      seen += chunk.length
      if (held.length < 2 && seen >= STREAM_BYTES * 0.75) held.push(heldBytes() - before)
    }
    assert.equal(back.digest('hex'), source.digest('hex'))
    if (boundedMemory) assert.ok(Math.max(...held) < MAX_HELD_BYTES, `held ${held.join(' and ')} bytes`)
  })

  check('get() can be given up half-way', async (store) => {
    await store.put('a', randomBytes(MiB))
    const object = await store.get('a')
    assert.ok(object)
    for await (const _ of object.body) break
    assert.equal(object.body.destroyed, true)
  })
}

/** Bytes that cannot be told from noise; late in the stream, notes how many the process holds on to. */
function* largeSource(hash: ReturnType<typeof createHash>, held: number[]): Generator<Buffer> {
  const before = heldBytes()
  for (let sent = 0; sent < STREAM_BYTES; sent += STREAM_CHUNK) {
    if (held.length === 0 && sent >= STREAM_BYTES * 0.75) held.push(heldBytes() - before)
    const chunk = randomBytes(STREAM_CHUNK)
    hash.update(chunk)
    yield chunk
  }
}

function heldBytes(): number {
  setFlagsFromString('--expose-gc')
  // Twice: the first run may leave the buffers it found dead to a sweeper in the background.
  for (let run = 0; run < 2; run++) runInNewContext('gc')()
  return process.memoryUsage().arrayBuffers
}
