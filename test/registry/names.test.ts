import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalName } from '../../src/protocol/name.ts'
import { openNames } from '../../src/registry/catalogue/names.ts'
import { between, pick, randomFrom } from '../support/random.ts'

test('find() meets each name that has the term once, in whichever group it is', () => {
  const random = randomFrom(3)
  const parts = ['Foo', 'ba', '-', '_', 'x1', 'Q', 'lib', 'rs']
  const count = 5000
  const names = openNames(count)
  const all = Array.from({ length: count }, () =>
    Array.from({ length: between(random, 1, 6) }, () => pick(random, parts)).join(''),
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
