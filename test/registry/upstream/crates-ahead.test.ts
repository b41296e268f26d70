import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settled, start } from './ahead-client.ts'
import { dep, file } from './index-files.ts'

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
  for (const [i, name] of names.toReversed().entries()) {
    ahead.crateAsked('ann', name, '1.0.0')
    if (i % 10 === 0) await settled()
  }
  assert.ok(brought.length > 0 && brought.length < 60, String(brought.length))
})

test('crateAsked() judges together what is asked for together, and brings nothing that is', async () => {
  const { ahead, ask, brought } = start()
  for (const name of ['a', 'b', 'c']) ask(name)
  await settled()
  for (const [name, version] of [
    ['a', '1.0.0'],
    ['b', '1.1.0'],
  ] as const)
    ahead.crateAsked('ann', name, version)
  assert.deepEqual(brought, [])
  await settled()
  assert.deepEqual(brought, ['c@1.0.0'])
})

test('crateAsked() brings nothing to who asks for everything at once', async () => {
  const names = Array.from({ length: 20 }, (_, i) => `x${i}`)
  const { ahead, askAtOnce, brought } = start({ files: names.map((name) => file(name, { '1.0.0': [] })) })
  askAtOnce(...names)
  await settled()
  ahead.crateAsked('ann', 'x0', '1.0.0')
  await settled()
  assert.deepEqual(brought, [])
})

test('close() ends what was about to begin', async () => {
  const { ahead, ask, brought } = start()
  for (const name of ['a', 'b', 'c']) ask(name)
  ahead.crateAsked('ann', 'a', '1.0.0')
  await ahead.close()
  await settled()
  assert.deepEqual(brought, [])
})

test('crateAsked() knows one client from another', async () => {
  const { ahead, ask, brought } = start()
  for (const name of ['a', 'b']) ask(name, 'ann')
  ahead.crateAsked('bob', 'a', '1.0.0')
  await settled()
  assert.deepEqual(brought, [])
})
