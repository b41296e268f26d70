import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { additionKey } from '../../src/registry/keys.ts'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { watchedStore } from '../support/watched-store.ts'

test('the catalogue is loaded behind the first index file, before anybody searches', async (t) => {
  const storage = watchedStore()
  const first = await startApp(t, { host: { storage } })
  await first.publish(crateFile('foo'))
  await first.close()
  storage.reads.length = 0
  const app = await startApp(t, { host: { storage } })
  await sleep(1200)
  assert.ok(!storage.reads.includes(additionKey(1)), 'nothing is loaded before there is a request')
  assert.equal((await app.request('/3/f/foo')).status, 200)
  const deadline = performance.now() + 10_000
  while (!storage.reads.includes(additionKey(1)) && performance.now() < deadline) await sleep(50)
  assert.ok(storage.reads.includes(additionKey(1)))
})
