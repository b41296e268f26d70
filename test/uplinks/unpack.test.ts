import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { unpack } from '../../src/uplinks/unpack.ts'
import { randomBytesFrom, randomFrom } from '../support/random.ts'

const MiB = 2 ** 20
const NOISE = randomBytesFrom(randomFrom(1), MiB)

test('unpack() gives back what gzip packed, whatever its size', async () => {
  for (const size of [0, 1, 1023, 1024, 256 * 1024 - 1, 256 * 1024, MiB]) {
    const bytes = NOISE.subarray(0, size)
    assert.deepEqual(await unpack(gzipSync(bytes), MiB), bytes, String(size))
  }
})

test('unpack() tells what is too large from what unpacks too far', async () => {
  assert.equal(await unpack(gzipSync(NOISE), MiB - 1), 'large')
  const zeros = gzipSync(Buffer.alloc(3 * MiB))
  assert.equal(await unpack(zeros, 8 * MiB), 'bomb')
  assert.equal(await unpack(zeros, MiB / 2), 'large')
  // Below a MiB no ratio matters.
  assert.equal((await unpack(gzipSync(Buffer.alloc(MiB)), 8 * MiB)).length, MiB)
})

test('unpack() fails when it is no gzip, or cut', async () => {
  for (const [bytes, code] of [
    [Buffer.alloc(0), 'Z_BUF_ERROR'],
    [Buffer.from('abc'), 'Z_DATA_ERROR'],
    [gzipSync(NOISE).subarray(0, -1), 'Z_BUF_ERROR'],
    [Buffer.concat([gzipSync(NOISE).subarray(0, -8), Buffer.alloc(8)]), 'Z_DATA_ERROR'],
  ] as const) {
    await assert.rejects(unpack(bytes, 8 * MiB), { code })
  }
})
