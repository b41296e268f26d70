import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { lazyStore } from '../../src/hosts/lazy-store.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { pluginStore } from '../../src/hosts/verdaccio/plugin-store.ts'
import { cargoRules } from '../../src/hosts/verdaccio/rights.ts'

test('cargoRules() finds the rules that crates can meet, and no others', () => {
  const cases: readonly (readonly [patterns: readonly string[], reached: readonly number[]])[] = [
    [['@corp/*', '**'], [1]],
    [['@*/*', 'react', '*', '**'], [3]],
    [
      ['cargo/acme-*', 'cargo/*', '**'],
      [0, 1],
    ],
    [
      ['car*/x-*', '{npm,cargo}/*', '@(cargo|npm)/y', '*/*', '**'],
      [0, 1, 2, 3],
    ],
    [
      ['CARGO/a', 'cargoes/*', 'xcargo/*', '**'],
      [0, 3],
    ],
    [[], []],
  ]
  for (const [patterns, reached] of cases) {
    const rules = Object.fromEntries(patterns.map((pattern, n) => [pattern, { access: [String(n)] }]))
    const found = cargoRules(rules).map(({ access = [] }) => Number(access[0]))
    assert.deepEqual(found, reached, patterns.join(' '))
  }
})

test('lazyStore() is unavailable while it cannot be opened, and tries again with the next call', async () => {
  let isAway = true
  const reasons: unknown[] = []
  const open = async () => {
    if (isAway) throw new Error('the bucket is away')
    return memoryStorage()
  }
  const store = lazyStore(open, { multiWriter: true, onFailure: (reason) => void reasons.push(reason) })
  const body = Readable.from([Buffer.from('lost')])
  await assert.rejects(store.put('a', body), { code: 'unavailable' })
  assert.equal(body.destroyed, true)
  await assert.rejects(store.get('a'), { code: 'unavailable' })
  assert.equal(reasons.length, 2)
  isAway = false
  assert.equal(await store.put('a', Buffer.from('kept'), { ifAbsent: true }), true)
  assert.equal((await store.stat('a'))?.size, 4)
  await store.close()
})

test('pluginStore() overwrites no document that is none of its own', async () => {
  const saved: string[] = []
  const npmPackage = {
    readPackage: (_: string, done: (error: unknown, value?: unknown) => void) =>
      done(null, { name: 'an npm package' }),
    savePackage: (name: string, _: object, done: (error: unknown) => void) => done(saved.push(name) && null),
  }
  const store = pluginStore({ getPackageStorage: () => npmPackage as never })
  await assert.rejects(store.put('crates/a', Buffer.from('x')), /is none of ours/)
  await assert.rejects(store.get('crates/a'), /is none of ours/)
  assert.deepEqual(saved, [])
})
