import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createPlaces } from '../../src/registry/places.ts'

test('take() gives so many places a turn, first to those who begin', async () => {
  const places = createPlaces({ beginning: 3, others: 2 })
  const got: string[] = []
  const ask = (name: string, isBeginning?: boolean) =>
    void places.take(isBeginning).then(() => got.push(name))
  for (const name of ['a', 'b', 'c', 'd', 'e']) ask(name)
  for (let i = 1; i <= 5; i++) ask(`first ${i}`, true)
  const seen: string[] = []
  for (let i = 0; i < 5; i++) {
    await undefined
    seen.push(got.splice(0).join(', '))
    await turn()
  }
  assert.deepEqual(seen, ['a, b, first 1', 'first 2, first 3, first 4', 'first 5, c', 'd, e', ''])
})

test('take() does not wait when nobody came for a while, and counts anew', async () => {
  const places = createPlaces({ beginning: 2, others: 2 })
  for (let round = 0; round < 3; round++) {
    let taken = 0
    for (let i = 0; i < 3; i++) void places.take().then(() => taken++)
    await undefined
    assert.equal(taken, 2)
    for (let i = 0; i < 3; i++) await turn()
    assert.equal(taken, 3)
  }
})
