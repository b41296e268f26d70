import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  numbersBySlot,
  openPostings,
  type Postings,
  packedPostings,
} from '../../src/registry/catalogue/postings.ts'
import { randomFrom } from '../support/random.ts'

const SLOTS = 16_384

function slotsOf(postings: Postings, number: number): readonly number[] {
  const slots: number[] = []
  postings.each(number, (slot) => void slots.push(slot))
  return slots
}

test('packedPostings() tells what was added, however far apart the slots are', () => {
  const random = randomFrom(9)
  /** By number: how many of the slots have it. */
  const shares = new Map<number, number>([
    ...([
      [0, 1],
      [3, 0.5],
      [4, 1 / 100],
      [70, 1 / 200],
      [5000, 1 / 2000],
      [1_000_000, 1 / SLOTS],
    ] as const),
  ])
  const [open, wanted] = [openPostings(), new Map<number, number[]>()]
  const bySlot = Array.from({ length: SLOTS }, (_, slot) => {
    const numbers = [...shares].filter(([, share]) => random() < share).map(([number]) => number)
    // The longest gap there can be.
    if (slot === SLOTS - 1) numbers.push(2_000_000)
    for (const number of numbers) wanted.set(number, (wanted.get(number) ?? []).concat(slot))
    open.add(slot, numbers)
    return numbers
  })
  for (const postings of [open, packedPostings(open)]) {
    assert.deepEqual([...postings.numbers()].sort(), [...wanted.keys()].sort())
    for (const [number, slots] of wanted) assert.deepEqual(slotsOf(postings, number), slots)
    for (const absent of [1, 71, 3_000_000]) assert.deepEqual(slotsOf(postings, absent), [])
    assert.deepEqual(
      numbersBySlot(postings, SLOTS).map((numbers) => numbers.toSorted((a, b) => a - b)),
      bySlot,
    )
  }
})
