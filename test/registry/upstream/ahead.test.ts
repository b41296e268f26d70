import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IndexEntry } from '../../../src/protocol/index-entry.ts'
import { createAhead } from '../../../src/registry/upstream/ahead.ts'
import { dep, file } from './index-files.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const FILES = [
  file('a', { '1.0.0': ['b', dep('w', { target: 'cfg(windows)' })] }),
  file('b', { '1.0.0': ['c'], '1.1.0': ['c'] }),
  file('c', { '1.0.0': [] }),
  file('w', { '1.0.0': [] }),
]

/** Ahead of a client of an uplink that has these files. */
function start({
  files = FILES,
  max = 100,
}: {
  files?: readonly (readonly IndexEntry[])[]
  max?: number
} = {}) {
  const known = new Map(files.map((entries) => [entries[0]?.name ?? '', entries]))
  const fetched: string[] = []
  const brought: string[] = []
  const outcomes: string[] = []
  const ahead = createAhead({
    max,
    logger,
    monotonic: () => 0,
    async entries(name) {
      fetched.push(name)
      const entries = known.get(name)
      return entries && { entries, fetched: true }
    },
    async bring(name, version) {
      brought.push(`${name}@${version}`)
      return true
    },
    onOutcome: (kind, outcome) => outcomes.push(`${kind} ${outcome}`),
  })
  const ask = (name: string, client = 'ann') => ahead.indexServed(client, name, () => known.get(name) ?? [])
  return { ahead, ask, fetched, brought, outcomes }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 10))

test('indexServed() fetches what the resolver asks next, layer by layer, once', async () => {
  const { ask, fetched, outcomes } = start()
  ask('a')
  await settled()
  assert.deepEqual(fetched, ['b', 'w', 'c'])
  ask('b')
  ask('c')
  await settled()
  assert.deepEqual(fetched, ['b', 'w', 'c'])
  assert.deepEqual(outcomes.sort(), [...Array(3).fill('index fetched'), ...Array(2).fill('index used')])
})

test('indexServed() takes a hint that a feature is enabled, or an older version wanted', async () => {
  const optional = { optional: true }
  const features = { ws: ['dep:socket', 'dep:sha'] }
  const web = file('web', { '1.0.0': [dep('socket', optional), dep('sha', optional)] }, { features })
  const old = file('old', { '1.0.0': ['x', 'y'], '2.0.0': [] })
  const others = ['socket', 'deep', 'x', 'y'].map((name) => file(name, { '1.0.0': [] }))
  const { ask, fetched } = start({ files: [web, old, file('sha', { '1.0.0': ['deep'] }), ...others] })
  for (const name of ['web', 'old']) ask(name)
  await settled()
  // Optional dependencies of what somebody names are looked at, but not followed.
  assert.deepEqual(fetched.splice(0), ['socket', 'sha'])
  ask('socket')
  await settled()
  assert.deepEqual(fetched, ['deep'])
  ask('x')
  await settled()
  assert.ok(fetched.includes('y'), fetched.join())
})

test('indexServed() goes no farther than `max`, and nowhere with 0', async () => {
  const one = start({ max: 1 })
  one.ask('a')
  await settled()
  assert.deepEqual(one.fetched, ['b', 'c'])
  const none = start({ max: 0 })
  none.ask('a')
  none.ahead.crateAsked('ann', 'a', '1.0.0')
  await settled()
  assert.deepEqual([none.fetched, none.brought], [[], []])
})

test('crateAsked() brings the crates of the index files that were read, at the versions that cargo takes', async () => {
  const { ahead, ask, brought, outcomes } = start()
  for (const name of ['a', 'b', 'w']) ask(name)
  await settled()
  ahead.crateAsked('ann', 'a', '1.0.0')
  await settled()
  assert.deepEqual(brought, ['b@1.1.0'])
  ahead.crateAsked('ann', 'b', '1.1.0')
  assert.equal(outcomes.filter((one) => one === 'crate used').length, 1)
})

test('crateAsked() brings the crates of a platform once the client wants one of them', async () => {
  const windows = dep('w2', { target: 'cfg(windows)' })
  const files = [
    file('a', { '1.0.0': [dep('w', { target: 'cfg(windows)' }), windows] }),
    file('w', { '1.0.0': [] }),
  ]
  const { ahead, ask, brought } = start({ files: [...files, file('w2', { '1.0.0': [] })] })
  for (const name of ['a', 'w', 'w2']) ask(name)
  ahead.crateAsked('ann', 'a', '1.0.0')
  await settled()
  assert.deepEqual(brought, [])
  ahead.crateAsked('ann', 'w', '1.0.0')
  await settled()
  assert.deepEqual(brought, ['w2@1.0.0'])
})

test('crateAsked() stops when its guesses are wrong', async () => {
  const names = Array.from({ length: 120 }, (_, i) => `x${i}`)
  const files = names.map((name) => file(name, { '1.0.0': [], '1.1.0': [] }))
  const { ahead, ask, brought } = start({ files, max: 1000 })
  for (const name of names) ask(name)
  // A client with a lock file of last year.
  for (const name of names.toReversed()) ahead.crateAsked('ann', name, '1.0.0')
  await settled()
  assert.ok(brought.length > 0 && brought.length < 60, String(brought.length))
})

test('crateAsked() knows one client from another', async () => {
  const { ahead, ask, brought } = start()
  for (const name of ['a', 'b']) ask(name, 'ann')
  ahead.crateAsked('bob', 'a', '1.0.0')
  await settled()
  assert.deepEqual(brought, [])
})
