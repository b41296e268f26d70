import assert from 'node:assert/strict'
import { test } from 'node:test'
import { singleFlight } from '../../src/registry/single-flight.ts'

test('run() does the same work once, and again when it is done', async () => {
  const flight = singleFlight<number>()
  let runs = 0
  const work = async () => ++runs
  assert.deepEqual(
    await Promise.all([flight.run('a', work), flight.run('a', work), flight.run('b', work)]),
    [1, 1, 2],
  )
  assert.equal(await flight.run('a', work), 3)
})

test('run() gives one failure to all who wait, and keeps none', async () => {
  const flight = singleFlight<number>()
  const failing = () => Promise.reject(new Error('failed'))
  const results = await Promise.allSettled([flight.run('a', failing), flight.run('a', failing)])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.equal(await flight.run('a', async () => 1), 1)
})

test('settled() waits for what runs, however it ends', async () => {
  const flight = singleFlight<void>()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let isSettled = false
  flight.run('a', () => promise).catch(() => {})
  const settled = flight.settled().then(() => {
    isSettled = true
  })
  await new Promise((tick) => setImmediate(tick))
  assert.equal(isSettled, false)
  reject(new Error('failed'))
  await settled
  resolve()
})
