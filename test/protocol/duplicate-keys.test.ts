import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasDuplicateKeys } from '../../src/protocol/duplicate-keys.ts'
import { pick, type Random, randomFrom } from '../support/random.ts'
import { workTime } from '../support/work-time.ts'

/** As its callers do. */
const hasTwice = (json: string) => hasDuplicateKeys(json, JSON.parse(json))

test('hasDuplicateKeys() finds a key that is twice in the same object', () => {
  const twice = [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061" : 2}',
    '[{"b":{"a":[],"x":{},"a":1}}]',
    '{"\\"":1,"\\"":2}',
    '{"a":1,"a" :2}',
    '{"a" :1,"a":2}',
    '{"a":1,"a"\t:2,"b":"\\":"}',
    '{"a":1,"a":2,"b":["x"\r,":"]}',
    '{"__proto__":1,"__proto__":2}',
  ]
  for (const json of twice) assert.equal(hasTwice(json), true, json)
})

test('hasDuplicateKeys() passes equal keys of different objects and equal values', () => {
  const once = [
    '{"a":{"a":1}}',
    '[{"a":1},{"a":1}]',
    '{"a":"a","b":"a"}',
    '["a","a"]',
    '{"a":"\\",\\"a\\":1"}',
    '{"a":"b\\":","c":":"}',
    '{"a" :1,"b"\t:2}',
    '{"__proto__":1}',
    '{}',
    '"a"',
  ]
  for (const json of once) assert.equal(hasTwice(json), false, json)
})

test('hasDuplicateKeys() is linear', () => {
  const worked = workTime()
  for (const part of ['"",', '{},', '"\\\\",']) {
    assert.equal(hasTwice(`[${part.repeat(2 ** 20 / part.length)}0]`), false)
  }
  assert.equal(hasTwice(`{"a"${' '.repeat(2 ** 20)}:1}`), false)
  assert.ok(worked() < 250)
})

test('hasDuplicateKeys() finds just those of random objects', () => {
  const random = randomFrom(11)
  const seen = { once: 0, twice: 0 }
  for (let round = 0; round < 3000; round++) {
    const { json, twice } = randomObject(random, 3)
    assert.equal(hasTwice(json), twice, json)
    seen[twice ? 'twice' : 'once'] += 1
  }
  assert.ok(Math.min(seen.once, seen.twice) > 300, JSON.stringify(seen))
})

/** An object in one of its spellings, and whether a key in it is there twice. */
function randomObject(random: Random, depth: number): { readonly json: string; readonly twice: boolean } {
  const keys = Array.from({ length: Math.floor(random() * 4) }, () =>
    pick(random, ['a', 'b', ':', '":', '__proto__', 'c d']),
  )
  const values = keys.map(() => randomValue(random, depth))
  const space = () => pick(random, ['', '', '', ' ', '\t'])
  const members = keys.map(
    (key, at) => `${space()}${JSON.stringify(key)}${space()}:${space()}${values[at]?.json}${space()}`,
  )
  return {
    json: `{${members.join(',')}}`,
    twice: new Set(keys).size < keys.length || values.some(({ twice }) => twice),
  }
}

function randomValue(random: Random, depth: number): { readonly json: string; readonly twice: boolean } {
  const kind = depth === 0 ? 'text' : pick(random, ['text', 'text', 'list', 'object', 'object'])
  if (kind === 'object') return randomObject(random, depth - 1)
  if (kind === 'text')
    return { json: pick(random, ['1', '"a"', '":"', '"\\":"', '"\\\\"', 'null']), twice: false }
  const inner = randomValue(random, depth - 1)
  return { ...inner, json: `[${inner.json}, 1]` }
}
