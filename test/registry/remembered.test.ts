import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remembered } from '../../src/registry/remembered.ts'

test('remembered() makes something once, also of what has none, until there is too much', () => {
  const made: string[] = []
  const lengthOf = remembered((text) => {
    made.push(text)
    return text === '' ? undefined : text.length
  }, 2)
  assert.deepEqual(['', 'a', '', 'a', ''].map(lengthOf), [undefined, 1, undefined, 1, undefined])
  assert.deepEqual(made, ['', 'a'])
  assert.equal(lengthOf('bb'), 2)
  assert.deepEqual(['a', 'bb', 'a'].map(lengthOf), [1, 2, 1])
  assert.deepEqual(made, ['', 'a', 'bb', 'a'])
})
