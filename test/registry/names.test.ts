import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalName } from '../../src/protocol/name.ts'
import { eachBit } from '../../src/registry/catalogue/bits.ts'
import { openNames } from '../../src/registry/catalogue/names.ts'
import { between, pick, randomFrom } from '../support/random.ts'

const PARTS = ['Foo', 'ba', '-', '_', 'x1', 'Q', 'lib', 'rs'] as const

test('find() meets each name that has the term once, in whichever group it is', () => {
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
      const met: (readonly number[])[] = []
      names.find(term, (...one) => void met.push(one))
      const wanted = all
        .slice(0, slot + 1)
        .map((name, at) => [at, canonicalName(name).indexOf(term)] as const)
        .filter(([, at]) => at >= 0)
      assert.deepEqual(met, wanted, term)
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
  const packed = names.packed(slots)
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
    'none',
  ]) {
    const met: (readonly number[])[] = []
    packed.find(term, (...one) => void met.push(one))
    const wanted = all.map((name, slot) => [slot, name.indexOf(term)] as const).filter(([, at]) => at >= 0)
    assert.deepEqual(met, wanted, term)
    const letters: number[] = []
    const set = packed.withLetter(term)
    if (set !== undefined) eachBit(set, (slot) => letters.push(slot))
    assert.deepEqual(letters, term.length === 1 ? wanted.map(([slot]) => slot) : [], term)
    assert.equal(set !== undefined, /^[a-z0-9_]$/.test(term), term)
  }
})
