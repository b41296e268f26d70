import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Logger, ObjectStore } from '../../../src/host.ts'
import { fsStorage } from '../../../src/hosts/fs.ts'
import { memoryStorage } from '../../../src/hosts/memory.ts'
import { createCaretaker } from '../../../src/registry/care/caretaker.ts'
import { blobKey } from '../../../src/registry/keys.ts'
import { temporaryFolder } from '../../support/cargo.ts'
import { keysOf } from '../../support/watched-store.ts'

const DAY_MS = 24 * 60 * 60_000
const downloads = { of: async () => ({ total: 0, recent: 0, versions: new Map(), days: [] }) }

function caretaker(storage: ObjectStore, days: number) {
  const logged: string[] = []
  const level = (_: object, message: string) => void logged.push(message)
  const logger: Logger = { debug: level, info: level, warn: level, error: level }
  const now = () => new Date(Date.now() + days * DAY_MS)
  const retention = { max_age: 30 * DAY_MS, every: DAY_MS }
  return { logged, ...createCaretaker({ storage, downloads, retention, logger, now }) }
}

test('a caretaker tidies when nobody did for so long, and leaves it to others else', async () => {
  const storage = memoryStorage()
  const orphan = blobKey('ab'.repeat(32))
  await storage.put(orphan, Buffer.from('an upload that failed'))
  const [one, other] = [caretaker(storage, 2), caretaker(storage, 2)]
  assert.equal(await one.look(), true)
  assert.deepEqual(one.logged, ['storage was tidied'])
  assert.ok(!(await keysOf(storage)).includes(orphan))
  await Promise.all([one.close(), other.close()])
  // The store stamps what is written with its own time, which is two days behind.
  const third = caretaker(storage, 0)
  assert.equal(await third.look(), false)
  await third.close()
})

test('of caretakers that look at once, in one folder, one tidies, and another one when it is time again', async (t) => {
  const folder = await temporaryFolder(t)
  const crowd = (days: number) => Array.from({ length: 8 }, () => caretaker(fsStorage(folder), days))
  for (const days of [2, 4]) {
    const looking = crowd(days)
    const tidied = await Promise.all(looking.map(({ look }) => look()))
    assert.equal(tidied.filter(Boolean).length, 1)
    assert.deepEqual(
      looking.flatMap(({ logged }) => logged),
      ['storage was tidied'],
    )
    await Promise.all(looking.map(({ close }) => close()))
  }
  assert.deepEqual(await keysOf(fsStorage(folder)), ['care/00000002.json'])
})

test('a caretaker tells the log what it could not do, and nobody else', async () => {
  const broken: ObjectStore = {
    ...memoryStorage(),
    list: () => {
      throw new Error('the disk is gone')
    },
  }
  const one = caretaker(broken, 2)
  assert.equal(await one.look(), false)
  assert.deepEqual(one.logged, ['storage could not be tidied'])
  await one.close()
})
