import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IndexDep, IndexEntry } from '../../src/protocol/index-entry.ts'
import {
  compatibleLine,
  dependenciesOf,
  enablingFeature,
  newestOfLines,
  nextDependencies,
  optionalDependencies,
  pickVersion,
  type Wanted,
} from '../../src/protocol/lookahead.ts'
import { workTime } from '../support/work-time.ts'

const DEFAULT: Wanted = { features: [], defaultFeatures: true }
const BARE: Wanted = { features: [], defaultFeatures: false }

function entry(vers: string, fields: Partial<IndexEntry> = {}): IndexEntry {
  return { name: 'foo', vers, deps: [], cksum: '0f'.repeat(32), features: {}, yanked: false, ...fields }
}

function dep(name: string, fields: Partial<IndexDep> = {}): IndexDep {
  return {
    name,
    req: '^1',
    features: [],
    optional: false,
    default_features: true,
    target: null,
    kind: 'normal',
    ...fields,
  }
}

function optional(...names: string[]): IndexDep[] {
  return names.map((name) => dep(name, { optional: true }))
}

/** `name` or `name[feature,…]`, each dependency in order. */
function shown(fields: Partial<IndexEntry>, wanted: Wanted): string {
  return dependenciesOf(entry('1.0.0', fields), wanted)
    .map(({ name, wanted: { features } }) => (features.length > 0 ? `${name}[${features}]` : name))
    .join(' ')
}

test('pickVersion() picks what cargo tries first', () => {
  for (const [versions, req, expected] of [
    ['1.0.0 1.2.0 1.10.0 1.9.0', '^1', '1.10.0'],
    ['1.0.0 2.0.0 1.1.0', '^1', '1.1.0'],
    ['1.0.0 1.1.0!', '^1', '1.0.0'],
    ['1.0.0!', '^1', undefined],
    ['1.0.0', '^2', undefined],
    ['', '^1', undefined],
    ['1.0.0 1.1.0-a', '^1', '1.0.0'],
    ['1.0.0-a 1.0.0-b', '^1', undefined],
    ['1.0.0-a.2 1.0.0-a.10', '^1.0.0-a', '1.0.0-a.10'],
    ['1.0.0-a 1.0.0 1.1.0-a', '>=1.0.0-a', '1.0.0'],
    ['1.0.0+b1 1.0.0+a9 1.0.0', '=1.0.0', '1.0.0+b1'],
    ['1.0.0+9 1.0.0+010 1.0.0+2', '=1.0.0', '1.0.0+010'],
    ['18446744073709551614.0.0 18446744073709551615.0.0 9.0.0', '>1', '18446744073709551615.0.0'],
    ['1.0.0 2.0.0-a', undefined, '1.0.0'],
    ['2.0.0-a 2.0.0-b!', undefined, '2.0.0-a'],
    ['1.0.0-alpha.01 1.0.0-a latest', undefined, '1.0.0-a'],
    ['1.0.0-alpha.01 latest', undefined, undefined],
    ['1.0.0', 'latest', undefined],
    ['1.0.0 1.0.0-alpha.01 latest', '>=0', '1.0.0'],
  ] as const) {
    const entries = versions
      .split(' ')
      .filter((version) => version !== '')
      .map((version) => entry(version.replace('!', ''), { yanked: version.endsWith('!') }))
    for (const order of [entries, entries.toReversed()]) {
      assert.equal(pickVersion(order, req)?.vers, expected, `${versions} ${req}`)
    }
  }
})

test('pickVersion() remembers what a requirement picked of one file, and of no other', () => {
  const [one, other] = [[entry('1.0.0'), entry('1.1.0')], [entry('1.2.0')]]
  for (let i = 0; i < 2; i++) {
    assert.equal(pickVersion(one, '^1'), one[1])
    assert.equal(pickVersion(one, '=1.0.0'), one[0])
    assert.equal(pickVersion(one, '^2'), undefined)
    assert.equal(pickVersion(other, '^1'), other[0])
  }
})

test('newestOfLines() gives the newest release of each line of compatible ones', () => {
  const versions = '0.0.1 0.0.2 0.1.0 0.1.5 0.2.0! 0.10.0 1.0.0 1.2.0 2.0.0-a 1.2.1! 3.0.0+b'
  const entries = versions
    .split(' ')
    .map((vers) => entry(vers.replace('!', ''), { yanked: vers.endsWith('!') }))
  const newest = (max: number) => newestOfLines(entries, max).map(({ vers }) => vers)
  assert.deepEqual(newest(10), ['3.0.0+b', '1.2.0', '0.10.0', '0.1.5', '0.0.2', '0.0.1'])
  assert.deepEqual(newest(2), ['3.0.0+b', '1.2.0'])
  assert.deepEqual(newestOfLines([], 2), [])
})

test('compatibleLine() ends with the first number that is not 0', () => {
  for (const [vers, line] of [
    ['1.2.3', '1'],
    ['10.0.0', '10'],
    ['0.3.1', '0.3'],
    ['0.0.7', '0.0.7'],
    ['0.0.0', '0.0.0'],
    ['0.10.0-a', '0.10'],
  ] as const) {
    assert.equal(compatibleLine(vers), line, vers)
  }
})

test('optionalDependencies() counts the features that bring each, one through the other', () => {
  const features = { full: ['net', 'fs'], net: ['dep:mio', 'libc'], fs: ['libc'], _all: ['dep:rare'] }
  const deps = [...optional('mio', 'libc', 'rare', 'lone'), dep('sure')]
  const dev = dep('dev', { optional: true, kind: 'dev' })
  const alias = dep('other', { optional: true, package: 'Real', registry: 'sparse+https://x.test/' })
  assert.deepEqual(optionalDependencies(entry('1.0.0', { features, deps: [...deps, dev, alias] })), [
    { name: 'mio', registry: null, features: 2 },
    { name: 'libc', registry: null, features: 3 },
    { name: 'rare', registry: null, features: 0 },
    { name: 'lone', registry: null, features: 0 },
    { name: 'Real', registry: 'sparse+https://x.test/', features: 0 },
  ])
  assert.deepEqual(optionalDependencies(entry('1.0.0', { deps: [dep('sure')] })), [])
})

test('enablingFeature() is the one that brings the least, and never one that is nobody’s to enable', () => {
  const features = { full: ['net', 'dep:x', 'y'], small: ['dep:x'], _x: ['dep:z'], net: [] }
  const one = entry('1.0.0', { features, features2: { more: ['y', 'dep:x'] } })
  for (const [name, feature] of [
    ['x', 'small'],
    ['y', 'more'],
    ['z', undefined],
    ['alone', 'alone'],
  ] as const) {
    assert.equal(enablingFeature(one, dep(name, { optional: true })), feature, name)
  }
})

test('pickVersion() passes over entries of a later format', () => {
  const entries = [entry('1.0.0'), entry('1.1.0', { v: 2 }), entry('1.2.0', { v: 3 })]
  assert.equal(pickVersion(entries, '^1')?.vers, '1.1.0')
})

test('nextDependencies() gives those of the version that is picked', () => {
  const entries = [
    entry('1.0.0', { deps: [dep('a')] }),
    entry('1.1.0', { deps: [dep('b')] }),
    entry('1.2.0', { deps: [dep('c')], yanked: true }),
    entry('2.0.0', { deps: [dep('d')] }),
  ]
  for (const [req, expected] of [
    ['^1', ['b']],
    ['=1.0.0', ['a']],
    [undefined, ['d']],
    ['^3', []],
    ['latest', []],
  ] as const) {
    const wanted = { ...DEFAULT, ...(req !== undefined && { req }) }
    assert.deepEqual(
      nextDependencies(entries, wanted).map(({ name }) => name),
      expected,
    )
  }
})

test('dependenciesOf() tells all of a dependency, under its real name', () => {
  const deps = [
    dep('alias', { package: 'real', req: '^0.3', features: ['x', ''], default_features: false }),
    dep('win', { target: 'cfg(windows)', registry: 'https://example.com/index', kind: 'build' }),
    dep('dev', { kind: 'dev' }),
  ]
  assert.deepEqual(dependenciesOf(entry('1.0.0', { deps, features: { default: ['alias/y'] } }), DEFAULT), [
    {
      name: 'real',
      wanted: { req: '^0.3', features: ['x', 'y'], defaultFeatures: false },
      registry: null,
      target: null,
    },
    {
      name: 'win',
      wanted: { req: '^1', features: [], defaultFeatures: true },
      registry: 'https://example.com/index',
      target: 'cfg(windows)',
    },
  ])
})

test('dependenciesOf() follows features as cargo’s resolver does', () => {
  const abc = optional('a', 'b', 'c')
  for (const [title, fields, expected, expectedBare] of [
    ['no features', { deps: [dep('n'), ...abc] }, 'n', 'n'],
    ['default', { deps: abc, features: { default: ['a', 'dep:b'] } }, 'a b', ''],
    ['chain', { deps: abc, features: { default: ['x'], x: ['y'], y: ['c'] } }, 'c', ''],
    ['cycle', { deps: abc, features: { default: ['x', 'default'], x: ['y'], y: ['x', 'a'] } }, 'a', ''],
    ['features2', { deps: abc, features2: { default: ['dep:b'] } }, 'b', ''],
    [
      'both tables',
      { deps: abc, features: { default: ['a'] }, features2: { default: ['dep:b'] } },
      'a b',
      '',
    ],
    ['feature of a dependency', { deps: abc, features: { default: ['a/f', 'a/g'] } }, 'a[f,g]', ''],
    ['of one that is not optional', { deps: [dep('n')], features: { default: ['n/f'] } }, 'n[f]', 'n'],
    // cargo asks for the index file of a weak one, too
    ['weak', { deps: abc, features: { default: ['a?/f'] } }, 'a[f]', ''],
    [
      'weak does not enable its feature',
      { deps: abc, features: { default: ['a?/f'], a: ['b'] } },
      'a[f]',
      '',
    ],
    ['strong does', { deps: abc, features: { default: ['a/f'], a: ['b', 'dep:a'] } }, 'a[f] b', ''],
    ['no implicit feature', { deps: abc, features: { default: ['a', 'b'], x: ['dep:a'] } }, 'b', ''],
    ['strong without implicit', { deps: abc, features: { default: ['a/f'], x: ['dep:a'] } }, 'a[f]', ''],
    ['nothing there', { deps: abc, features: { default: ['z', 'dep:z', 'z/f', '', '/', 'dep:'] } }, '', ''],
    ['dev', { deps: [dep('d', { kind: 'dev' })], features: { default: ['d/f'] } }, '', ''],
    [
      'names of the language',
      { deps: abc, features: { default: ['constructor', '__proto__', 'a'] } },
      'a',
      '',
    ],
    ['`default` is a dependency', { deps: optional('default') }, 'default', ''],
  ] as const) {
    assert.equal(shown(fields, DEFAULT), expected, title)
    assert.equal(shown(fields, BARE), expectedBare, title)
  }
})

test('dependenciesOf() follows the features that are asked for', () => {
  const fields = { deps: optional('a', 'b', 'c'), features: { x: ['a/f'], y: ['dep:b'], default: ['c'] } }
  for (const [features, defaultFeatures, expected] of [
    [['x'], false, 'a[f]'],
    [['x', 'y'], true, 'a[f] b c'],
    [['default'], false, 'c'],
    [['a'], false, 'a'],
    [['b'], false, ''],
    [['c/g'], false, 'c[g]'],
    [['none', ''], false, ''],
  ] as const) {
    assert.equal(shown(fields, { features, defaultFeatures }), expected, features.join())
  }
})

test('dependenciesOf() merges what one requirement asks of one crate', () => {
  const deps = [
    dep('a', { features: ['x'], target: 'cfg(unix)', default_features: false }),
    dep('b'),
    dep('a', { features: ['y', 'x'], target: 'cfg(windows)', kind: 'build' }),
    dep('a', { kind: 'dev', features: ['z'] }),
    dep('a2', { package: 'a', req: '^2', target: 'cfg(unix)' }),
    dep('a2', { package: 'a', req: '^2', target: 'cfg(unix)', optional: true, features: ['off'] }),
    dep('a3', { package: 'a', registry: 'https://example.com/index' }),
  ]
  const found = dependenciesOf(entry('1.0.0', { deps }), DEFAULT)
  assert.deepEqual(
    found.map(({ name, registry, target, wanted }) => [name, registry, target, ...Object.values(wanted)]),
    [
      ['a', null, null, '^1', ['x', 'y'], true],
      ['b', null, null, '^1', [], true],
      ['a', null, 'cfg(unix)', '^2', [], true],
      ['a', 'https://example.com/index', null, '^1', [], true],
    ],
  )
})

test('nextDependencies() takes time in proportion to the entries, whatever they hold', () => {
  const measure = (count: number) => {
    const names = Array.from({ length: count }, (_, n) => `f${n}`)
    const features = Object.fromEntries(names.map((name, n) => [name, [`f${n + 1}`, 'default', `d${n}/x`]]))
    const deps = optional(...names.map((_, n) => `d${n}`))
    const last = entry('2.0.0', { deps, features: { ...features, default: names } })
    const entries = [...names.map((_, n) => entry(`1.${n}.0-a.${n}`, { deps })), last]
    const worked = workTime()
    assert.equal(nextDependencies(entries, { ...DEFAULT, req: '>=1, <3' }).length, count)
    assert.equal(pickVersion(entries.toReversed(), '^1'), undefined)
    return worked()
  }
  measure(1000)
  const least = Math.min(measure(1000), measure(1000), measure(1000))
  assert.ok(measure(8000) < 100 + least * 30)
})
