import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { objectStoreContract } from '../../src/testing/index.ts'

objectStoreContract('memoryStorage()', () => memoryStorage(), { boundedMemory: false })

test('memoryStorage() gives stores that do not share anything', async () => {
  const [one, other] = [memoryStorage(), memoryStorage()]
  await one.put('a', Buffer.from('x'))
  assert.equal(await other.stat('a'), undefined)
  assert.equal(one.multiWriter, false)
})
