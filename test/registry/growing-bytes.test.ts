import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createGrowingBytes, type GrowingBytes } from '../../src/registry/growing-bytes.ts'

const KiB = 1024

async function append(store: GrowingBytes, bytes: Buffer, chunk = 50_000): Promise<void> {
  for (let at = 0; at < bytes.length; at += chunk) await store.append(bytes.subarray(at, at + chunk))
}

async function readAll(store: GrowingBytes, end: number): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let position = 0; position < end; ) {
    const part = await store.read(position, end)
    assert.ok(part.length > 0 && part.length <= 64 * KiB, `${part.length} bytes at ${position}`)
    parts.push(part)
    position += part.length
  }
  return Buffer.concat(parts)
}

test('read() gives what is there up to the end that is asked for, and nothing beyond', async () => {
  for (const size of [1, 64 * KiB, 1024 * KiB, 1024 * KiB + 1, 2500 * KiB + 7]) {
    const store = createGrowingBytes()
    const bytes = randomBytes(size)
    await append(store, bytes)
    assert.equal(store.size(), size)
    for (const end of [0, 1, size - 1, size, Math.floor(size / 2)])
      assert.ok((await readAll(store, end)).equals(bytes.subarray(0, end)), `${end} of ${size}`)
    assert.equal((await store.read(size, size)).length, 0)
    await store.close()
  }
})

test('whole() gives few bytes in memory of their own, and not many', async () => {
  for (const size of [0, 1, 256 * KiB]) {
    const store = createGrowingBytes()
    const bytes = randomBytes(size)
    await append(store, bytes)
    const whole = store.whole()
    assert.ok(whole?.equals(bytes), String(size))
    whole?.fill(0)
    assert.ok((await readAll(store, size)).equals(bytes), String(size))
    for (const more of [256 * KiB + 1 - size, 1024 * KiB]) {
      await store.append(randomBytes(more))
      assert.equal(store.whole(), undefined)
    }
    await store.close()
  }
})

test('read() finds what came after somebody has read the same piece', async () => {
  const store = createGrowingBytes()
  const bytes = randomBytes(1200 * KiB)
  const before = 1100 * KiB + 100
  await append(store, bytes.subarray(0, before))
  const position = 1088 * KiB
  assert.ok((await store.read(position, before)).equals(bytes.subarray(position, before)))
  await append(store, bytes.subarray(before))
  assert.ok((await store.read(before, bytes.length)).equals(bytes.subarray(before, 1152 * KiB)))
  assert.ok((await store.read(position, bytes.length)).equals(bytes.subarray(position, 1152 * KiB)))
  await store.close()
})

test('a crowd that reads the same place of a file shares the memory', async () => {
  const store = createGrowingBytes()
  await append(store, randomBytes(3000 * KiB))
  const places = Array.from({ length: 100 }, (_, i) => 640 * KiB + 100 * i)
  const parts = await Promise.all(places.map((position) => store.read(position, 3000 * KiB)))
  assert.equal(new Set(parts.map(({ buffer }) => buffer)).size, 1)
  await store.close()
})

test('read() fails when the file is closed, and so does the next one', async () => {
  const store = createGrowingBytes()
  await append(store, randomBytes(2000 * KiB))
  await store.close()
  for (let i = 0; i < 2; i++) await assert.rejects(store.read(0, 1000), /file closed|EBADF|closed/)
})
