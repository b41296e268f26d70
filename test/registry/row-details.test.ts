import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRowDetails } from '../../src/registry/catalogue/row-details.ts'
import { between, randomFrom } from '../support/random.ts'

const noFailure = (error: unknown) => assert.fail(String(error))
const time = '2026-01-01T00:00:00Z'
const entry = (row: number, n: number) => ({
  ...{ name: `c${row}`, n, max_version: '1.0.0', keywords: [], updated: time, created: time },
  description: 'd'.repeat(n % 900),
})

test('read() finds the last entry of each row, also while the file is written anew', async (t) => {
  const details = createRowDetails(noFailure, 50)
  t.after(details.close)
  const numbers: number[] = []
  const random = randomFrom(3)
  for (let row = 0; row < 700; row++) {
    details.put(row, entry(row, 1))
    numbers[row] = 1
  }
  for (let turn = 2; turn < 9000; turn++) {
    const row = between(random, 0, 700)
    details.put(row, entry(row, turn))
    numbers[row] = turn
    if (turn % 40 !== 0) continue
    const rows = [row, ...Array.from({ length: 5 }, () => between(random, 0, 700))]
    assert.deepEqual(
      await details.read(rows),
      rows.map((one) => entry(one, numbers[one] ?? 0)),
    )
  }
  const all = numbers.map((_, row) => row)
  assert.deepEqual(
    await details.read(all),
    numbers.map((n, row) => entry(row, n)),
  )
})

test('put() does not let what no longer counts pile up', async (t) => {
  const details = createRowDetails(noFailure, 50)
  t.after(details.close)
  const rows = Array.from({ length: 500 }, (_, row) => row)
  for (const row of rows) details.put(row, entry(row, 899))
  const live = details.size
  let most = 0
  for (let round = 1; round <= 40; round++) {
    for (const row of rows) details.put(row, entry(row, 899))
    // To move entries takes reading them.
    await details.read(rows)
    await new Promise((resolve) => setTimeout(resolve, 5))
    most = Math.max(most, details.size)
  }
  assert.ok(most <= 6 * live, `${most} bytes were kept for ${live} that count`)
})
