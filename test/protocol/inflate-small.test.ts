import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { gunzip } from '../../src/protocol/gunzip.ts'
import { inflateSmall } from '../../src/protocol/inflate-small.ts'
import { randomBytesFrom, randomFrom } from '../support/random.ts'

const MiB = 2 ** 20
const NOISE = randomBytesFrom(randomFrom(3), MiB)
const FILE = gzipSync(NOISE.subarray(0, 3000))

test('inflateSmall() gives the content of small files, in memory of their size', async () => {
  for (const content of [Buffer.alloc(0), Buffer.from('a'), NOISE.subarray(0, 70_000), Buffer.alloc(MiB)]) {
    const found = await inflateSmall(gzipSync(content))
    assert.deepEqual(found, content, String(content.length))
    const memory = found?.buffer.byteLength ?? 0
    assert.ok(memory <= Math.max(content.length + 1, Buffer.poolSize), `${memory}`)
  }
})

/** A file with other last bytes: the checksum and the size. */
function ending(change: (last: Buffer) => void): Buffer {
  const file = Buffer.from(FILE)
  change(file.subarray(-8))
  return file
}

const BAD: readonly (readonly [string, Buffer])[] = [
  ['is cut', FILE.subarray(0, -9)],
  ['has a wrong checksum', ending((last) => last.writeUInt32LE(1, 0))],
  ['tells less than it has', ending((last) => last.writeUInt32LE(2999, 4))],
  ['tells more than it has', ending((last) => last.writeUInt32LE(3001, 4))],
  ['has a second member', Buffer.concat([FILE, FILE])],
  ['goes on after its end', Buffer.concat([FILE.subarray(0, -8), Buffer.alloc(5), FILE.subarray(-8)])],
  ['has no more than a header', FILE.subarray(0, 10)],
  ['has nothing', Buffer.alloc(0)],
]

for (const [what, file] of BAD) {
  test(`a file that ${what} is left to those who read it piece by piece, and they refuse it`, async () => {
    assert.equal(await inflateSmall(file), undefined)
    const read = () => undefined
    await assert.rejects(gunzip(file, { read, end: read }), { code: 'invalid_tarball' })
  })
}

test('inflateSmall() leaves what is large, and what lies about that, to others', async () => {
  assert.equal(await inflateSmall(gzipSync(Buffer.alloc(MiB + 1))), undefined)
  const bomb = gzipSync(Buffer.alloc(64 * MiB))
  bomb.writeUInt32LE(10, bomb.length - 4)
  const before = process.memoryUsage().rss
  assert.equal(await inflateSmall(bomb), undefined)
  assert.ok(process.memoryUsage().rss - before < 16 * MiB)
})

test('inflateSmall() refuses what is no gzip file', async () => {
  await assert.rejects(inflateSmall(Buffer.from('no gzip file')), { code: 'invalid_tarball' })
})
