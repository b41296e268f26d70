import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeChange, parseChange } from '../../src/protocol/change.ts'
import { isSealed, sealJson } from '../../src/protocol/seal.ts'
import { encodeCopy, parseCopy } from '../../src/protocol/upstream-copy.ts'
import { publishing } from '../support/changes.ts'

/** Every way in which one bit of the bytes can be wrong. */
function* flipsOf(bytes: Buffer): Generator<Buffer> {
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    yield flipped
  }
}

test('isSealed() finds every bit that flipped, and every cut', () => {
  const bytes = sealJson({ name: 'änn', list: [1] })
  assert.equal(bytes.indexOf('\n'), bytes.length - 1)
  assert.deepEqual(Object.keys(JSON.parse(bytes.toString())), ['name', 'list', 'seal'])
  assert.ok(isSealed(bytes))
  for (const flipped of flipsOf(bytes)) assert.equal(isSealed(flipped), false)
  for (let end = 0; end < bytes.length; end++) assert.equal(isSealed(bytes.subarray(0, end)), false)
})

test('parseChange() and parseCopy() refuse every bit that flipped', () => {
  const change = publishing('foo', '1.0.0')
  const copy = {
    n: 3,
    body: Buffer.from('{}\n'),
    etag: '"1"',
    fetchedAt: '2026-01-02T03:04:05Z',
    firstSeen: {},
  }
  assert.deepEqual(parseChange(encodeChange(change)), change)
  assert.deepEqual(parseCopy(encodeCopy(copy)), copy)
  for (const flipped of flipsOf(encodeChange(change)))
    assert.throws(() => parseChange(flipped), { code: 'internal' })
  for (const flipped of flipsOf(encodeCopy(copy)))
    assert.throws(() => parseCopy(flipped), { code: 'internal' })
})

test('parseChange() and parseCopy() read what was stored before there were seals', () => {
  const change = publishing('foo', '1.0.0')
  assert.deepEqual(parseChange(Buffer.from(JSON.stringify({ schema: 1, ...change }))), change)
  const copy = { n: 1, fetchedAt: '2026-01-02T03:04:05Z', firstSeen: {} }
  const stored = Buffer.from(JSON.stringify({ schema: 1, ...copy, body: 'x\n' }))
  assert.deepEqual(parseCopy(stored), { ...copy, body: Buffer.from('x\n') })
})
