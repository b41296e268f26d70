import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Explanation, explain } from '../../src/protocol/explanation.ts'

type Facts = Omit<Explanation, 'explanation'>

const UP = { name: 'up', asked: true }
const COPY = { versions: 2, fetched_at: '2026-01-01T00:00:00.000Z', age: 60, stale: false }
const VERDICT = { served: true, yanked: false, reason: 'no rule keeps it back', stored: true }

const CASES: readonly (readonly [Facts, string])[] = [
  [
    { crate: 'foo', source: 'local', rule: '**', proxy: [UP] },
    'Crate `foo` is local: it was published here, so no uplink is ever asked for it (rule `**` applies).',
  ],
  [
    { crate: 'foo', source: 'none', proxy: [] },
    'There is no crate `foo`: it was not published here, and no uplink may be asked for it (no rule applies to it).',
  ],
  [
    { crate: 'foo', source: 'none', rule: '**', proxy: [UP, { name: 'other', asked: false }] },
    'There is no crate `foo`, neither here nor at uplink `up` or uplink `other` (rule `**` applies).',
  ],
  [
    { crate: 'foo', source: 'unknown', rule: '**', proxy: [UP], problem: 'uplink `up` answers 500' },
    'Whether there is a crate `foo` is not known: uplink `up` answers 500 (rule `**` applies).',
  ],
  [
    { crate: 'foo', source: 'uplink', rule: 'f*', proxy: [UP], uplink: 'up', copy: COPY },
    'Crate `foo` comes from uplink `up` (rule `f*` applies). The copy of its index file was confirmed 60 s ago and is fresh.',
  ],
  [
    { crate: 'foo', source: 'uplink', rule: 'f*', proxy: [UP], uplink: 'up', copy: { ...COPY, stale: true } },
    'Crate `foo` comes from uplink `up` (rule `f*` applies). The copy of its index file was confirmed 60 s ago and is renewed when uplink `up` answers.',
  ],
  [
    {
      crate: 'foo',
      source: 'uplink',
      rule: 'f*',
      proxy: [UP],
      uplink: 'up',
      copy: { ...COPY, stale: true, problem: 'version `foo@1.0.0` is gone from its index file' },
    },
    'Crate `foo` comes from uplink `up` (rule `f*` applies). The copy of its index file was confirmed 60 s ago; a newer one was not taken over: version `foo@1.0.0` is gone from its index file.',
  ],
]

for (const [facts, explanation] of CASES) {
  test(`explain() says: ${explanation}`, () => {
    assert.deepEqual(explain(facts), { ...facts, explanation })
  })
}

test('explain() says what becomes of a version', () => {
  const local: Facts = { crate: 'foo', version: '1.0.0', source: 'local', rule: '**', proxy: [] }
  const cases = [
    [{ verdict: VERDICT }, 'Version `1.0.0` is served: no rule keeps it back.'],
    [
      { verdict: { ...VERDICT, yanked: true, reason: 'its owners yanked it' } },
      'Version `1.0.0` is served as yanked: its owners yanked it.',
    ],
    [
      { verdict: { ...VERDICT, served: false, yanked: true, reason: 'malware' } },
      'Version `1.0.0` is not served: malware.',
    ],
    [{}, 'There is no version `1.0.0`.'],
  ] as const
  for (const [more, sentence] of cases) {
    const { explanation } = explain({ ...local, ...more })
    assert.equal(explanation.slice(explanation.indexOf(').') + 3), sentence)
  }
})

test('explain() says nothing of a version when there is no crate, or that is not known', () => {
  for (const source of ['none', 'unknown'] as const) {
    const facts: Facts = { crate: 'foo', source, rule: '**', proxy: [UP], problem: 'it is away' }
    assert.equal(explain({ ...facts, version: '1.0.0' }).explanation, explain(facts).explanation)
  }
})

test('explain() puts the sentences after the crate and its version', () => {
  const facts: Facts = { source: 'local', proxy: [], verdict: VERDICT, version: '1.0.0', crate: 'foo' }
  assert.deepEqual(Object.keys(explain(facts)), [
    'crate',
    'version',
    'explanation',
    'source',
    'proxy',
    'verdict',
  ])
})
