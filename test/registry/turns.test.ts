import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as tick } from 'node:timers/promises'
import { createTurns, type Turns, type TurnsSpec } from '../../src/registry/turns.ts'

const SPEC: TurnsSpec = { parallel: 2, waiting: 3, maxWaitMs: 60_000, what: 'publishes' }
const TOO_MANY = {
  code: 'unavailable',
  status: 503,
  retryAfter: 5,
  message: 'too many publishes at the moment, try again later',
}

/** Work that runs until it is ended, and what has begun. */
function workshop(turns: Turns) {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  return {
    begun,
    start: (name: string, key?: string) =>
      turns.run(async () => {
        begun.push(name)
        await new Promise<void>((resolve) => ends.set(name, resolve))
        return name
      }, key),
    async end(name: string) {
      ends.get(name)?.()
      await tick()
    },
  }
}

test('run() does so much at a time, in the order of arrival', async () => {
  const { start, end, begun } = workshop(createTurns(SPEC))
  const all = ['a', 'b', 'c', 'd'].map((name) => start(name))
  await tick()
  assert.deepEqual(begun, ['a', 'b'])
  await end('b')
  assert.deepEqual(begun, ['a', 'b', 'c'])
  await end('a')
  for (const name of ['c', 'd']) await end(name)
  assert.deepEqual(await Promise.all(all), ['a', 'b', 'c', 'd'])
})

test('run() refuses what is too much, and goes on when there is room', async () => {
  const { start, end } = workshop(createTurns(SPEC))
  const all = ['a', 'b', 'c', 'd', 'e'].map((name) => start(name))
  await assert.rejects(start('f'), TOO_MANY)
  await end('a')
  all.push(start('f'))
  for (const name of ['b', 'c', 'd', 'e', 'f']) await end(name)
  assert.equal((await Promise.all(all)).length, 6)
})

test('run() lets nobody take all places', async () => {
  const { start, end, begun } = workshop(createTurns({ ...SPEC, parallelPerKey: 1 }))
  const all = [start('a1', 'a'), start('a2', 'a'), start('b1', 'b')]
  await tick()
  assert.deepEqual(begun, ['a1', 'b1'])
  await end('b1')
  assert.deepEqual(begun, ['a1', 'b1'])
  await end('a1')
  assert.deepEqual(begun, ['a1', 'b1', 'a2'])
  await end('a2')
  await Promise.all(all)
})

test('run() gives up waiting', async () => {
  const { start, end, begun } = workshop(createTurns({ ...SPEC, parallel: 1, maxWaitMs: 20 }))
  const first = start('a')
  await assert.rejects(start('b'), TOO_MANY)
  await end('a')
  await first
  assert.deepEqual(begun, ['a'])
})

test('run() gives the place back when the work fails', async () => {
  const turns = createTurns({ ...SPEC, parallel: 1, waiting: 0 })
  const broken = new Error('broken')
  await assert.rejects(
    turns.run(async () => {
      throw broken
    }),
    broken,
  )
  assert.equal(await turns.run(async () => 1), 1)
})
