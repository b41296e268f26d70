import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fsStorage } from '../../src/hosts/fs.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { createAfter } from '../../src/registry/put-after.ts'
import { reliableStorage } from '../../src/registry/reliable-storage.ts'
import { temporaryFolder } from '../support/cargo.ts'

const BYTES = Buffer.from('x')

test('createAfter() shows nothing before what comes first, whether the store heeds that or not', async (t) => {
  const folder = await temporaryFolder(t)
  for (const inner of [memoryStorage(), fsStorage(join(folder, 'data'))]) {
    const storage = reliableStorage(inner)
    const first = Promise.withResolvers<void>()
    const creating = createAfter(storage, 'a/b', BYTES, first.promise)
    await sleep(30)
    assert.equal(await storage.stat('a/b'), undefined)
    first.resolve()
    assert.equal(await creating, true)
    assert.equal((await storage.stat('a/b'))?.size, 1)
    assert.equal(await createAfter(storage, 'a/b', BYTES, undefined), false)
    const failing = createAfter(storage, 'a/c', BYTES, Promise.reject(new Error('the blob')))
    await assert.rejects(failing)
    assert.equal(await storage.stat('a/c'), undefined)
  }
})
