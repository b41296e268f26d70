import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstOf, type Order } from '../../src/registry/catalogue/first-of.ts'
import { between, randomFrom } from '../support/random.ts'

test('firstOf() is a window of the sorted list, wherever it is, and others get their turn', async () => {
  const random = randomFrom(5)
  for (const count of [0, 1, 700, 9000]) {
    const kinds = [() => between(random, 0, 3), () => between(random, 0, 1000), (item: number) => -item]
    for (const kind of kinds) {
      const firsts = Array.from({ length: count }, (_, item) => kind(item))
      const seconds = Array.from({ length: count }, () => between(random, 0, 50))
      const order: Order = {
        first: (item) => firsts[item] ?? 0,
        second: (item) => seconds[item] ?? 0,
        compare: (a, b) => b - a,
      }
      const all = Array.from(firsts.keys()).sort(
        (a, b) => order.first(a) - order.first(b) || order.second(a) - order.second(b) || order.compare(a, b),
      )
      const windows = [
        ...([[0, 10] as const, [0, 0] as const, [5, 3] as const, [90, 100] as const] as const),
        ...([[count - 3, count + 50] as const, [4000, 7000] as const, [count, count + 10] as const] as const),
      ]
      for (const [from, to] of windows.filter(([from]) => from >= 0)) {
        let turns = 0
        const found = await firstOf(count, order, [from, to], async () => void turns++)
        assert.deepEqual(found, all.slice(from, Math.max(from, to)), `${from} to ${to} of ${count}`)
        if (found.length > 0) assert.ok(turns >= count / 256, `${turns} turns`)
      }
    }
  }
})
