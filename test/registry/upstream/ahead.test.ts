import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settled, start } from './ahead-client.ts'
import { dep, file } from './index-files.ts'

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

test('indexServed() fetches optional dependencies of a direct one that many features bring, and follows none', async () => {
  const optional = { optional: true }
  const features = { a: ['dep:often'], b: ['a'], c: ['a'], d: ['dep:once'] }
  const app = file('app', { '1.0.0': [dep('often', optional), dep('once', optional)] }, { features })
  const files = [app, file('often', { '1.0.0': ['deep'] }), file('zoo', { '1.0.0': [] })]
  const one = start({ files })
  one.ask('app')
  await settled()
  assert.deepEqual(one.fetched, ['often'])
  // Who asks for all at once asks for what it wants of them before a guess could.
  const two = start({ files })
  two.askAtOnce('app', 'zoo')
  await settled()
  assert.deepEqual(two.fetched, [])
})

test('indexServed() takes a hint that a feature is enabled', async () => {
  const optional = { optional: true }
  const features = { ws: ['dep:socket', 'dep:sha'], other: ['dep:more'] }
  const deps = [dep('more', optional), dep('sha', optional), dep('socket', optional)]
  const web = file('web', { '1.0.0': ['need', ...deps] }, { features })
  const names = ['need', 'socket', 'deep', 'more']
  const files = [web, file('sha', { '1.0.0': ['deep'] }), ...names.map((name) => file(name, { '1.0.0': [] }))]
  const { ask, fetched } = start({ files })
  ask('web')
  await settled()
  assert.deepEqual(fetched.splice(0), ['need'])
  ask('need')
  ask('sha')
  await settled()
  assert.deepEqual(fetched.splice(0), ['socket', 'deep'])
})

test('indexServed() follows what the client itself has asked for, and fetches it no more', async () => {
  const { askAtOnce, fetched } = start()
  askAtOnce('a', 'b')
  await settled()
  assert.deepEqual(fetched, ['w', 'c'])
})

test('indexServed() takes a hint that a direct dependency is held to an older version', async () => {
  const files = [
    file('old', {
      '0.9.0': ['a', 'x', 'z'],
      '1.0.0': ['w', 'x', 'y'],
      '1.1.0': ['w', 'x', 'y'],
      '2.0.0': [],
    }),
    ...['a', 'w', 'x', 'y', 'z'].map((name) => file(name, { '1.0.0': [] })),
  ]
  const { ask, fetched } = start({ files })
  ask('old')
  ask('a')
  await settled()
  assert.deepEqual(fetched, ['x', 'z'])
  // Cargo asks in the order of the entry: nobody who has not asked for `a` or `w` needs `x`.
  const other = start({ files })
  other.ask('old')
  for (const name of ['b', 'x']) other.ask(name)
  await settled()
  assert.deepEqual(other.fetched, [])
})

test('indexAsked() takes what is asked for before anything was served for a direct dependency', async () => {
  // `a` does not need `c`, but one of its older versions did.
  const files = [
    file('a', { '1.0.0': ['c', 'old'], '2.0.0': ['b'] }),
    file('b', { '1.0.0': [] }),
    file('c', { '1.0.0': ['d'] }),
  ]
  const { askAtOnce, fetched } = start({ files })
  askAtOnce('a', 'b', 'c')
  await settled()
  assert.deepEqual(fetched, ['d'])
})

test('indexAsked() forgets what was not served', async () => {
  const { ahead, ask, askAtOnce, fetched, brought } = start()
  // There are so many that somebody could be taken for one who asks for all at once.
  for (let i = 0; i < 40; i++) ahead.indexAsked('ann', `none${i}`)()
  askAtOnce('none')
  ask('a')
  await settled()
  assert.deepEqual(fetched, ['b', 'w', 'c'])
  for (const name of ['b', 'c']) ask(name)
  ahead.crateAsked('ann', 'a', '1.0.0')
  await settled()
  assert.deepEqual(brought, ['b@1.1.0', 'c@1.0.0'])
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
