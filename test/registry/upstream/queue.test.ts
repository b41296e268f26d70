import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createQueue } from '../../../src/registry/upstream/queue.ts'

test('createQueue() runs so much at a time, in order', async () => {
  const queue = createQueue(2, 1000, () => 0)
  const began: number[] = []
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  let ended = 0
  for (const [i, gate] of gates.entries()) {
    const work = async () => {
      began.push(i)
      await gate.promise
    }
    queue.add(work, () => ended++)
  }
  assert.deepEqual(began, [0, 1])
  gates[1]?.resolve()
  await turn()
  assert.deepEqual([began, ended], [[0, 1, 2], 1])
  for (const gate of gates) gate.resolve()
  await turn()
  assert.deepEqual([began, ended], [[0, 1, 2, 3], 4])
})

test('createQueue() runs what is urgent before all that waits, in order', async () => {
  const queue = createQueue(1, 1000, () => 0)
  const gate = Promise.withResolvers<void>()
  const ran: string[] = []
  const ended: string[] = []
  const add = (name: string, urgent?: boolean) =>
    queue.add(
      async () => void ran.push(name),
      () => ended.push(name),
      urgent,
    )
  queue.add(
    () => gate.promise,
    () => {},
  )
  add('a')
  add('b', true)
  add('c')
  add('d', true)
  gate.resolve()
  await turn()
  assert.deepEqual(ran, ['b', 'd', 'a', 'c'])
  assert.deepEqual(ended, ran)
})

test('createQueue() drops what waited for too long, and what waits at its end', async () => {
  let now = 0
  const queue = createQueue(1, 1000, () => now)
  const gate = Promise.withResolvers<void>()
  const ran: string[] = []
  const ended: string[] = []
  queue.add(
    () => gate.promise,
    () => ended.push('first'),
  )
  queue.add(
    async () => void ran.push('late'),
    () => ended.push('late'),
  )
  now = 1001
  queue.add(
    async () => void ran.push('next'),
    () => ended.push('next'),
  )
  gate.resolve()
  await turn()
  assert.deepEqual([ran, ended], [['next'], ['first', 'late', 'next']])
  const last = Promise.withResolvers<void>()
  queue.add(
    () => last.promise,
    () => ended.push('running'),
  )
  queue.add(
    async () => void ran.push('never'),
    () => ended.push('waiting'),
  )
  const closing = queue.close()
  last.resolve()
  await closing
  assert.deepEqual([ran, ended.slice(3)], [['next'], ['waiting', 'running']])
})

/** Lets what was resolved go on. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
