import assert from 'node:assert/strict'
import { createHash, hash, randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFilling as createFillingOf, type Filled, type Pieces } from '../../src/registry/filling.ts'
import { createPlaces } from '../../src/registry/places.ts'
import { eventually, until } from '../support/until.ts'

const MiB = 1024 * 1024

function createFilling(source: Readable, sha256: string, maxBytes: number, announced?: number) {
  const places = createPlaces({ beginning: 16, others: 4 })
  return createFillingOf(source, { sha256, maxBytes, announced, places })
}

function chunked(bytes: Buffer, size = 10_000): Readable {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
  return Readable.from(chunks)
}

async function contentOf(filled: Filled): Promise<Buffer> {
  const content = filled.content()
  return content instanceof Readable ? buffer(content) : Buffer.from(content)
}

async function allOf({ next, close }: Pieces): Promise<Buffer> {
  const all: Buffer[] = []
  try {
    for (let piece = await next(); piece !== undefined; piece = await next()) all.push(piece)
    return Buffer.concat(all)
  } finally {
    close()
  }
}

test('createFilling() gives every reader all bytes, in memory and on disk', async () => {
  for (const size of [0, 1, 64 * 1024, 300_000, 2 * MiB + 7]) {
    const bytes = randomBytes(size)
    const filling = createFilling(chunked(bytes), hash('sha256', bytes), 10 * MiB)
    const early = [buffer(filling.reader()), buffer(filling.reader()), allOf(filling.pieces())]
    const filled = await filling.filled
    assert.equal(filled.size, size)
    const late = [contentOf(filled), buffer(filling.reader()), allOf(filling.pieces())]
    for (const all of await Promise.all([...early, ...late])) {
      assert.equal(hash('sha256', all), hash('sha256', bytes), String(size))
    }
    filling.release()
  }
})

test('a reader sees bytes while they come, but never the end of a wrong body', async () => {
  for (const size of [200_000, 2 * MiB]) {
    const source = new PassThrough()
    const filling = createFilling(source, 'f'.repeat(64), 10 * MiB)
    let seen = 0
    const reading = (async () => {
      for await (const chunk of filling.reader()) seen += (chunk as Buffer).length
    })()
    const pieces = allOf(filling.pieces())
    source.write(randomBytes(size))
    await filling.begun
    await until(() => seen, size - 64 * 1024)
    await sleep(20)
    source.end()
    const expected = { code: 'checksum_mismatch', message: /does not have the checksum/ }
    await assert.rejects(Promise.all([reading, pieces]), expected)
    await assert.rejects(pieces, expected)
    await assert.rejects(filling.filled, { code: 'checksum_mismatch' })
    assert.equal(seen, size - 64 * 1024)
    filling.release()
  }
})

test('a reader sees the first bytes at once when the source says how many there are, and not the last ones', async () => {
  const size = 200_000
  for (const announced of [size, size / 2, 2 * size]) {
    const source = new PassThrough()
    const filling = createFilling(source, 'f'.repeat(64), 10 * MiB, announced)
    let seen = 0
    const reading = (async () => {
      for await (const chunk of filling.reader()) seen += (chunk as Buffer).length
    })()
    source.write(randomBytes(1000))
    await filling.begun
    await until(() => seen, 1000)
    source.write(randomBytes(size - 1000))
    await until(() => seen, Math.min(size, announced - 64 * 1024))
    await sleep(20)
    source.end()
    await assert.rejects(reading, { code: 'checksum_mismatch' })
    assert.equal(seen, Math.min(size, announced - 64 * 1024))
    filling.release()
  }
})

test('a source that says it has little is seen when all of it is there and right', async () => {
  const bytes = randomBytes(64 * 1024)
  const source = new PassThrough()
  const filling = createFilling(source, hash('sha256', bytes), 10 * MiB, bytes.length)
  source.write(bytes.subarray(1))
  const late = sleep(20, 'late')
  assert.equal(await Promise.race([filling.begun, late]), 'late')
  source.end()
  await assert.rejects(filling.filled, { code: 'checksum_mismatch' })
  filling.release()
})

test('a source that fails or is too large fails before the first byte when little came', async () => {
  const broken = new PassThrough()
  const filling = createFilling(broken, 'f'.repeat(64), MiB)
  broken.write('little')
  broken.destroy(new Error('reset'))
  await assert.rejects(filling.begun, /reset/)
  await assert.rejects(buffer(filling.reader()), /reset/)
  filling.release()
  const large = createFilling(chunked(randomBytes(2 * MiB)), 'f'.repeat(64), MiB)
  await assert.rejects(large.filled, /larger than 1048576 bytes/)
  large.release()
})

test('a reader misses nothing that comes while it looks', { timeout: 20_000 }, async () => {
  const bytes = randomBytes(1000)
  const sum = hash('sha256', bytes)
  for (let pause = 0; pause < 12; pause++) {
    async function* source() {
      await sleep(1)
      yield bytes
      for (let turn = 0; turn < pause; turn++) await undefined
    }
    const filling = createFilling(source() as unknown as Readable, sum, MiB)
    assert.ok((await buffer(filling.reader())).equals(bytes))
    filling.release()
  }
})

test('who was promised bytes gets some of a source that failed by then, and not the end', async () => {
  const source = new PassThrough()
  const filling = createFilling(source, 'f'.repeat(64), MiB)
  source.write(randomBytes(100_000))
  await filling.begun
  source.destroy(new Error('reset'))
  await assert.rejects(filling.filled, /reset/)
  let seen = 0
  await assert.rejects(async () => {
    for await (const chunk of filling.reader()) seen += (chunk as Buffer).length
  }, /reset/)
  assert.equal(seen, 16 * 1024)
  filling.release()
})

test('readers that leave disturb nobody, and the last one gives the descriptor back', async () => {
  // Files of the tests before are closed behind them.
  await sleep(100)
  const before = openFiles()
  const bytes = randomBytes(3 * MiB)
  const filling = createFilling(chunked(bytes), hash('sha256', bytes), 10 * MiB)
  const unread = filling.pieces()
  const leavers = Array.from({ length: 20 }, () => filling.reader())
  leavers.forEach((reader, i) => {
    if (i % 2) reader.destroy()
    else reader.once('data', () => reader.destroy())
  })
  const stayer = buffer(filling.reader())
  await filling.filled
  filling.release()
  assert.equal(hash('sha256', await stayer), hash('sha256', bytes))
  await sleep(100)
  assert.equal((await unread.next())?.length, 16 * 1024, 'it is kept for who has not begun')
  unread.close()
  assert.ok(
    await eventually(() => openFiles() <= before, 5_000),
    `${openFiles()} files are open, ${before} were`,
  )
})

test('everybody in a crowd gets a little before anybody gets much', async () => {
  const bytes = randomBytes(3 * MiB)
  const sum = hash('sha256', bytes)
  const filling = createFilling(chunked(bytes), sum, 10 * MiB)
  await filling.filled
  const seen = new Map<Readable, number>()
  let most = 0
  const crowd = Array.from({ length: 50 }, () => filling.reader())
  filling.release()
  const read = async (reader: Readable) => {
    const all = createHash('sha256')
    for await (const chunk of reader as AsyncIterable<Buffer>) {
      all.update(chunk)
      seen.set(reader, (seen.get(reader) ?? 0) + chunk.length)
      if (seen.size < crowd.length) most = Math.max(most, seen.get(reader) ?? 0)
    }
    return all.digest('hex')
  }
  for (const found of await Promise.all(crowd.map(read))) assert.equal(found, sum)
  assert.ok(most <= 256 * 1024, `somebody had ${most} bytes while others had none`)
})

function openFiles(): number {
  return readdirSync('/proc/self/fd').length
}
