import assert from 'node:assert/strict'
import test from 'node:test'
import { type GrowingMap, growingMap } from '../../src/protocol/growing-map.ts'

const list = (map: ReadonlyMap<string, number>) => [...map]

test('with() makes a larger map and leaves the one before as it is', () => {
  const one = growingMap([['a', 1]])
  const two = one.with('b', 2)
  assert.deepEqual(
    [list(one), list(two)],
    [
      [['a', 1]],
      [
        ['a', 1],
        ['b', 2],
      ],
    ],
  )
  assert.deepEqual([one.has('b'), one.get('b'), two.has('b'), two.get('b')], [false, undefined, true, 2])
  assert.deepEqual([one.size, two.size], [1, 2])
})

test('with() keeps maps apart that grew out of the same one', () => {
  const one = growingMap([['a', 1]])
  const [left, right] = [one.with('b', 2), one.with('c', 3).with('b', 4)]
  assert.deepEqual(list(left.with('d', 5)), [
    ['a', 1],
    ['b', 2],
    ['d', 5],
  ])
  assert.deepEqual(list(right), [
    ['a', 1],
    ['c', 3],
    ['b', 4],
  ])
  assert.deepEqual(list(left), [
    ['a', 1],
    ['b', 2],
  ])
  assert.deepEqual(list(one), [['a', 1]])
})

test('with() replaces a value in its place', () => {
  const before = growingMap([
    ['a', 1],
    ['b', 2],
  ])
  const after = before.with('a', 3)
  assert.deepEqual(list(after.with('c', 4)), [
    ['a', 3],
    ['b', 2],
    ['c', 4],
  ])
  assert.deepEqual(list(before), [
    ['a', 1],
    ['b', 2],
  ])
})

test('keys(), values() and forEach() go through the entries of this map only', () => {
  const map = growingMap<string, number>([['a', 1]]).with('b', 2)
  map.with('c', 3)
  const seen: (readonly [string, number])[] = []
  map.forEach((value, key) => void seen.push([key, value]))
  assert.deepEqual([[...map.keys()], [...map.values()], seen.length], [['a', 'b'], [1, 2], 2])
})

test('with() costs what it costs in a small map', () => {
  let map: GrowingMap<string, number> = growingMap()
  // A copy each time would be twenty billion entries.
  for (let number = 0; number < 200_000; number++) map = map.with(`${number}`, number)
  assert.deepEqual([map.size, map.get('199999')], [200_000, 199_999])
})
