import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idsOf } from '../../src/protocol/api-id.ts'

test('idsOf() gives each text the same 31-bit number every time, whatever comes after it', () => {
  const [a, ab] = [idsOf(['foo@1.0.0']), idsOf(['foo@1.0.0', 'foo@1.1.0'])]
  assert.equal(a.get('foo@1.0.0'), ab.get('foo@1.0.0'))
  for (const id of ab.values()) assert.ok(Number.isInteger(id) && id >= 0 && id < 2 ** 31)
})

test('idsOf() gives no number twice', () => {
  const texts = Array.from({ length: 100_000 }, (_, n) => `foo@0.0.${n}`)
  const ids = idsOf(texts)
  assert.equal(ids.size, texts.length)
  assert.equal(new Set(ids.values()).size, texts.length)
})
