import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasDuplicateKeys } from '../../src/protocol/duplicate-keys.ts'
import { workTime } from '../support/work-time.ts'

test('hasDuplicateKeys() finds a key that is twice in the same object', () => {
  const twice = [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061" : 2}',
    '[{"b":{"a":[],"x":{},"a":1}}]',
    '{"\\"":1,"\\"":2}',
  ]
  for (const json of twice) assert.equal(hasDuplicateKeys(json), true, json)
})

test('hasDuplicateKeys() passes equal keys of different objects and equal values', () => {
  const once = [
    '{"a":{"a":1}}',
    '[{"a":1},{"a":1}]',
    '{"a":"a","b":"a"}',
    '["a","a"]',
    '{"a":"\\",\\"a\\":1"}',
    '{}',
    '"a"',
  ]
  for (const json of once) assert.equal(hasDuplicateKeys(json), false, json)
})

test('hasDuplicateKeys() is linear', () => {
  const worked = workTime()
  for (const part of ['"",', '{},', '"\\\\",']) {
    assert.equal(hasDuplicateKeys(`[${part.repeat(2 ** 20 / part.length)}0]`), false)
  }
  assert.equal(hasDuplicateKeys(`{"a"${' '.repeat(2 ** 20)}:1}`), false)
  assert.ok(worked() < 250)
})
