import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Ahead } from '../../../src/registry/upstream/ahead.ts'
import { createAheadOnMiss } from '../../../src/registry/upstream/ahead-on-miss.ts'

const NONE = () => []

/** What is told, in its order, and of whom. */
function start() {
  const told: string[] = []
  const ahead: Ahead = {
    indexAsked(client, name) {
      told.push(`${client} asks ${name}`)
      return () => told.push(`${client} got ${name}`)
    },
    indexServed: (client, name) => told.push(`${client} read ${name}`),
    crateAsked: (client, name, version) => told.push(`${client} loads ${name}@${version}`),
    close: async () => {},
  }
  return { told, ahead: createAheadOnMiss(ahead) }
}

test('nothing is told of a client who finds everything here', async () => {
  const { ahead, told } = start()
  ahead.indexAsked('ann', 'a')()
  ahead.indexServed('ann', 'a', NONE)
  ahead.crateAsked('ann', 'a', '1.0.0')
  ahead.missed('bob')
  await turn()
  assert.deepEqual(told, [])
})

test('missed() tells what a client did before, in order, and from then on everything at once', () => {
  const { ahead, told } = start()
  const answered = ahead.indexAsked('ann', 'a')
  ahead.indexAsked('ann', 'b')()
  ahead.indexServed('ann', 'a', NONE)
  ahead.missed('ann')
  assert.deepEqual(told.splice(0), ['ann asks a', 'ann asks b', 'ann got b', 'ann read a'])
  answered()
  ahead.missed('ann')
  ahead.crateAsked('ann', 'a', '1.0.0')
  assert.deepEqual(told, ['ann got a', 'ann loads a@1.0.0'])
})

test('missed() makes up for many requests in several turns, and what comes meanwhile has to wait', async () => {
  const { ahead, told } = start()
  const names = Array.from({ length: 100 }, (_, i) => `name${i}`)
  for (const name of names) ahead.indexServed('ann', name, NONE)
  ahead.missed('ann')
  assert.ok(told.length > 0 && told.length < 50, `${told.length} at once`)
  ahead.indexServed('ann', 'last', NONE)
  for (let n = 0; n < 10; n++) await turn()
  assert.deepEqual(
    told,
    [...names, 'last'].map((name) => `ann read ${name}`),
  )
})

test('what a client asks for again is told once, and never keeps it from being up to date', async () => {
  const { ahead, told } = start()
  const askForAll = (from: number) => {
    for (let i = from; i < from + 40; i++) {
      ahead.indexServed('ann', `name${i}`, NONE)
      ahead.crateAsked('ann', `name${i}`, '1.0.0')
    }
  }
  for (let n = 0; n < 200; n++) askForAll(0)
  ahead.indexServed('ann', 'changed', () => [])
  ahead.indexServed('ann', 'changed', NONE)
  ahead.missed('ann')
  // Faster than it is made up for.
  for (let n = 0; n < 2; n++) {
    askForAll(0)
    await turn()
  }
  assert.deepEqual(
    told.splice(0),
    Array.from({ length: 40 }, (_, i) => [`ann read name${i}`, `ann loads name${i}@1.0.0`])
      .flat()
      .concat('ann read changed', 'ann read changed'),
  )
  askForAll(39)
  assert.equal(told.length, 80)
})

test('missed() tells no more than a graph can have', async () => {
  const { ahead, told } = start()
  for (let i = 0; i < 4_010; i++) ahead.indexServed('ann', `name${i}`, NONE)
  ahead.missed('ann')
  await turn()
  assert.equal(told.length, 10)
})

test('no more is remembered of many clients than fits into memory', async () => {
  const { ahead, told } = start()
  for (let i = 0; i < 400; i++) for (let n = 0; n < 251; n++) ahead.crateAsked(`client${i}`, 'a', `1.0.${n}`)
  ahead.missed('client0')
  ahead.missed('client399')
  for (let n = 0; n < 20; n++) await turn()
  // More than 100,000: of the first nothing is left, of the last what came since.
  assert.deepEqual([...new Set(told.map((line) => line.split(' ')[0]))], ['client399'])
  assert.equal(told.length, 251)
})
