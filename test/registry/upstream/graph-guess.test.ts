import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGraphGuess, type GuessedCrate } from '../../../src/registry/upstream/graph-guess.ts'
import { dep, file } from './index-files.ts'

const NEWEST = { features: [], defaultFeatures: true }
const root = (name: string): GuessedCrate => ({ name, wanted: NEWEST })
const names = (crates: readonly GuessedCrate[]) => crates.map(({ name }) => name)

test('follow() names the dependencies of the newest version, and each once', () => {
  const guess = createGraphGuess()
  const app = file('app', { '1.0.0': ['old'], '1.1.0': ['Upper-Case', dep('it', { package: 'real' })] })
  assert.deepEqual(names(guess.follow(root('app'), app)), ['upper-case', 'real'])
  assert.deepEqual(guess.follow(root('app'), app), [])
  assert.deepEqual([guess.has('app'), guess.has('real')], [true, false])
})

test('follow() goes on when a feature or the defaults come to it', () => {
  const guess = createGraphGuess()
  const optional = { optional: true }
  const features = { default: ['a'], a: ['dep:x'], b: ['dep:y'] }
  const crate = file('crate', { '1.0.0': ['z', dep('x', optional), dep('y', optional)] }, { features })
  const wanted = { features: [], defaultFeatures: false }
  assert.deepEqual(names(guess.follow({ name: 'crate', wanted }, crate)), ['z'])
  assert.deepEqual(names(guess.follow(root('crate'), crate)), ['x', 'z'].sort().reverse())
  const more = guess.follow({ name: 'crate', wanted: { ...wanted, features: ['b'] } }, crate)
  assert.deepEqual(names(more).sort(), ['x', 'y', 'z'])
})

test('follow() leaves the crates of other registries alone', () => {
  const registry = 'https://github.com/rust-lang/crates.io-index'
  const deps = [
    dep('ours', { registry: null }),
    dep('public', { registry }),
    dep('x', { registry: 'sparse+https://x.test/' }),
  ]
  assert.deepEqual(names(createGraphGuess().follow(root('app'), file('app', { '1.0.0': deps }))), [
    'ours',
    'public',
  ])
})

test('versions() tell which platform alone wants them, until another does', () => {
  const guess = createGraphGuess()
  const cases = {
    'cfg(windows)': 'windows',
    'x86_64-pc-windows-msvc': 'windows',
    'cfg(target_os = "macos")': 'apple',
    'cfg(target_arch = "wasm32")': 'wasm',
    'cfg(target_os = "android")': 'android',
    'cfg(not(windows))': undefined,
    'cfg(any(windows, unix))': undefined,
    'cfg(unix)': undefined,
  }
  for (const [target, platform] of Object.entries(cases)) {
    const [next] = createGraphGuess().follow(root('app'), file('app', { '1.0.0': [dep('x', { target })] }))
    assert.equal(next?.platform, platform, target)
  }
  const x = file('x', { '1.0.0': ['y'] })
  assert.equal(guess.follow({ ...root('x'), platform: 'windows' }, x)[0]?.platform, 'windows')
  assert.deepEqual(
    [...guess.versions()].map(({ platform }) => platform),
    ['windows'],
  )
  assert.equal(guess.follow(root('x'), x)[0]?.platform, undefined)
  assert.deepEqual(
    [...guess.versions()].map(({ platform }) => platform),
    [undefined],
  )
})

test('enabling() finds the feature that brings an optional dependency', () => {
  const guess = createGraphGuess()
  const features = { full: ['net', 'dep:x', 'dep:y'], small: ['dep:x'], net: [] }
  const deps = [dep('x', { optional: true }), dep('alias', { optional: true, package: 'real' })]
  guess.follow(root('app'), file('app', { '1.0.0': deps }, { features }))
  const wanted = (feature: string) => ({ req: '=1.0.0', features: [feature], defaultFeatures: false })
  assert.deepEqual(guess.enabling('x'), [{ name: 'app', wanted: wanted('small'), platform: undefined }])
  assert.deepEqual(guess.enabling('real'), [{ name: 'app', wanted: wanted('alias'), platform: undefined }])
  assert.deepEqual(guess.enabling('none'), [])
})

test('enabling() leaves out what only internal features bring, and what no index file here tells of', () => {
  const guess = createGraphGuess()
  const features = { _private: ['dep:x'], net: ['dep:y'] }
  const elsewhere = { optional: true, registry: 'sparse+https://x.test/' }
  const deps = [dep('x', { optional: true }), dep('y', elsewhere)]
  guess.follow(root('app'), file('app', { '1.0.0': deps }, { features }))
  assert.deepEqual([guess.enabling('x'), guess.enabling('y')], [[], []])
})

test('optional() begins with what most features bring, and leaves out what is there', () => {
  const guess = createGraphGuess()
  const optional = { optional: true }
  const features = { default: ['dep:here'], a: ['dep:Often'], b: ['dep:Often'], c: ['dep:once'] }
  const deps = [dep('once', optional), dep('Often', optional), dep('here', optional)]
  for (const { name } of guess.follow(root('app'), file('app', { '1.0.0': deps }, { features })))
    guess.follow(root(name), file(name, { '1.0.0': [] }))
  assert.deepEqual(guess.optional('app'), [
    { name: 'often', features: 2 },
    { name: 'once', features: 1 },
  ])
  assert.deepEqual(guess.optional('other'), [])
})

test('follow() ends in cycles', () => {
  const guess = createGraphGuess()
  const files = { a: file('a', { '1.0.0': ['b'] }), b: file('b', { '1.0.0': ['a'] }) }
  const stack = [root('a')]
  let steps = 0
  for (let next = stack.pop(); next !== undefined; next = stack.pop(), steps++) {
    stack.push(...guess.follow(next, files[next.name as 'a' | 'b']))
  }
  assert.ok(steps <= 4, String(steps))
})
