import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalName } from '../../src/protocol/name.ts'
import { addBit, eachBit, noBits } from '../../src/registry/catalogue/bits.ts'
import { namePart } from '../../src/registry/catalogue/letter-index.ts'
import { type Names, openNames } from '../../src/registry/catalogue/names.ts'
import { atOnce } from '../../src/registry/in-turns.ts'
import { between, pick, randomFrom } from '../support/random.ts'

const PARTS = ['Foo', 'ba', '-', '_', 'x1', 'Q', 'lib', 'rs'] as const

test('keepIn() leaves those of a set that have the part, in whichever group they are', () => {
  const random = randomFrom(3)
  const count = 5000
  const names = openNames(count)
  const all = Array.from({ length: count }, () =>
    Array.from({ length: between(random, 1, 6) }, () => pick(random, PARTS)).join(''),
  )
  const terms = ['f', 'oo', 'foo', 'lib_', 'rsfoo', 'x1libx1', 'ba_q', 'none', 'foofoofoofoo', '__']
  let found = 0
  for (const [slot, spelling] of all.entries()) {
    names.add(canonicalName(spelling), spelling)
    // While the last group grows, and when all are there.
    if (slot % 997 !== 0 && slot + 1 !== count) continue
    for (const term of terms) {
      const asked = Array.from(all.keys()).filter((at) => at <= slot && random() < 0.9)
      const met = kept(names, count, asked, term)
      assert.deepEqual(
        met,
        asked.filter((at) => canonicalName(all[at] ?? '').includes(term)),
        term,
      )
      found += met.length
    }
  }
  assert.ok(found > 10_000, `${found} found`)
  for (const [slot, spelling] of all.entries()) {
    assert.equal(names.at(slot), canonicalName(spelling))
    assert.equal(names.spellingAt(slot), spelling)
    assert.equal(names.lengthOf(slot), spelling.length)
    for (const letters of ['f', 'ba_', 'libx1foo'])
      assert.equal(names.beginsWith(slot, letters), canonicalName(spelling).startsWith(letters))
  }
})

test('packed() has some of the names in another order, and finds in them what there is', () => {
  const random = randomFrom(4)
  const count = 3000
  const names = openNames(count)
  for (let slot = 0; slot < count; slot++) {
    const spelling = Array.from({ length: between(random, 1, 5) }, () => pick(random, PARTS)).join('')
    names.add(canonicalName(spelling), spelling)
  }
  const slots = Uint16Array.from({ length: count }, (_, slot) => slot)
    .filter(() => random() < 0.8)
    .sort(names.compare)
  const all = Array.from(slots, names.at)
  assert.deepEqual(all, all.toSorted())
  const packed = atOnce(names.packed(slots))
  for (const [slot, there] of slots.entries()) {
    assert.deepEqual(
      [packed.at(slot), packed.spellingAt(slot), packed.lengthOf(slot)],
      [names.at(there), names.spellingAt(there), names.lengthOf(there)],
    )
  }
  for (const term of [
    'f',
    'o',
    '_',
    '1',
    'z',
    '.',
    'oo',
    'o_',
    '__',
    'x1',
    'zz',
    'é.',
    'foo',
    'b_rs',
    'foofoo',
    '_x1lib',
    'libx1x1',
    'oofo',
    'none',
  ]) {
    for (const share of [1, 0.5]) {
      const asked = Array.from(all.keys()).filter(() => random() < share)
      const wanted = asked.filter((slot) => all[slot]?.includes(term))
      assert.deepEqual(kept(packed, all.length, asked, term), wanted, term)
      if (wanted.length > 0) assert.ok(packed.mayHave(namePart(term)), term)
    }
  }
  for (const absent of ['z', '.', 'é.', 'zz', 'x1z', 'o.o'])
    assert.ok(!packed.mayHave(namePart(absent)), absent)
})

/** Those of some slots that are left. */
function kept(names: Names, count: number, slots: readonly number[], term: string): readonly number[] {
  const [bits, left] = [noBits(count), [] as number[]]
  for (const slot of slots) addBit(bits, slot)
  names.keepIn(bits, namePart(term))
  eachBit(bits, (slot) => void left.push(slot))
  return left
}
