import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addBit, eachBit, noBits } from '../../src/registry/catalogue/bits.ts'
import {
  numbersBySlot,
  openPostings,
  type Postings,
  packedPostings,
} from '../../src/registry/catalogue/postings.ts'
import { atOnce } from '../../src/registry/in-turns.ts'
import { randomFrom } from '../support/random.ts'

const SLOTS = 16_384

function slotsOf(postings: Postings, number: number): readonly number[] {
  const slots: number[] = []
  postings.each(number, (slot) => void slots.push(slot))
  return slots
}

/** The same, as a set. */
function setOf(postings: Postings, number: number): readonly number[] {
  const [bits, slots] = [noBits(SLOTS), [] as number[]]
  addBit(bits, 0)
  postings.addTo(bits, number)
  const isOther = slotsOf(postings, number)[0] !== 0
  eachBit(bits, (slot) => void (isOther && slot === 0 ? 0 : slots.push(slot)))
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
  const same = Uint16Array.from({ length: SLOTS }, (_, slot) => slot)
  for (const postings of [open, atOnce(packedPostings(open, same, SLOTS))]) {
    assert.deepEqual([...postings.numbers()].sort(), [...wanted.keys()].sort())
    for (const [number, slots] of wanted) {
      assert.deepEqual(slotsOf(postings, number), slots)
      assert.deepEqual(setOf(postings, number), slots)
    }
    for (const absent of [1, 71, 3_000_000]) {
      assert.deepEqual(slotsOf(postings, absent), [])
      assert.equal(postings.sizeOf(absent), 0)
    }
    // The rarer, the smaller.
    const sizes = Array.from(shares.keys(), postings.sizeOf)
    assert.deepEqual(
      sizes,
      sizes.toSorted((a, b) => b - a),
    )
    assert.deepEqual(
      numbersBySlot(postings, SLOTS).map((numbers) => numbers.toSorted((a, b) => a - b)),
      bySlot,
    )
  }
})

test('packedPostings() has those entries that are left at their new places', () => {
  const random = randomFrom(10)
  const [open, numbers] = [openPostings(), [5, 6, 7, 8]]
  const bySlot = Array.from({ length: 1000 }, (_, slot) => {
    const some = numbers.filter((number) => random() < 1 / (number - 4) ** 3)
    open.add(slot, some)
    return some
  })
  const order = Uint16Array.from(Array.from(bySlot.keys()).filter(() => random() < 0.9)).sort(
    (a, b) => ((a * 7) % 1000) - ((b * 7) % 1000),
  )
  const packed = atOnce(packedPostings(open, order, 1000))
  assert.deepEqual(
    numbersBySlot(packed, order.length),
    Array.from(order, (slot) => bySlot[slot]),
  )
})
