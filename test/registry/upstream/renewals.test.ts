import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRenewals } from '../../../src/registry/upstream/renewals.ts'
import { until } from '../../support/until.ts'

const monotonic = () => performance.now()

test('createRenewals() renews once what is asked for often, when the answers have gone out, a few at a time', async () => {
  const renewals = createRenewals(monotonic)
  const began: string[] = []
  const gate = Promise.withResolvers<void>()
  const keys = Array.from({ length: 20 }, (_, i) => `key ${i}`)
  const askForAll = () => {
    for (const key of keys)
      renewals.add(key, async () => {
        began.push(key)
        await gate.promise
      })
  }
  askForAll()
  askForAll()
  await sleep(300)
  assert.deepEqual(began, [])
  await until(() => began.length, 16)
  askForAll()
  gate.resolve()
  await until(() => began.length, 20)
  assert.deepEqual(began, keys)
  askForAll()
  await until(() => began.length, 40)
  await renewals.close()
})

test('close() drops what waits, and waits for what runs', async () => {
  const renewals = createRenewals(monotonic)
  let [began, ended] = [0, 0]
  renewals.add('slow', async () => {
    began += 1
    await sleep(50)
    ended += 1
  })
  await until(() => began, 1)
  const refuse = async () => assert.fail('it was dropped')
  renewals.add('late', refuse)
  await renewals.close()
  renewals.add('later', refuse)
  assert.equal(ended, 1)
  await sleep(1_200)
})
