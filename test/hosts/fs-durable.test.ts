import assert from 'node:assert/strict'
import { promises } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join, relative } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryFolder } from '../support/cargo.ts'
import { eventually } from '../support/until.ts'

/** What the adapter asked of the file system, in the order in which it was done; syncs side by side by their names. */
const calls: string[] = []
let base = ''

recordCalls()
// What is imported now gets the recording functions.
const { fsStorage } = await import('../../src/hosts/fs.ts')

/** Runs `put` on a fresh root whose folders exist, and gives back what it did. */
async function store(t: TestContext, key: string) {
  base = await temporaryFolder(t)
  const storage = fsStorage(join(base, 'root'))
  return {
    async put(content: string, options = {}) {
      calls.length = 0
      const result = await storage.put(key, Buffer.from(content), options)
      calls.push(`answer ${result}`)
      const placed = calls.findIndex(isPlaced)
      return [...calls.slice(0, placed).toSorted(), ...calls.slice(placed)]
    },
  }
}

test('put() of a new object answers when file, name and every folder are on the disk', async (t) => {
  const { put } = await store(t, 'a/b/c')
  assert.deepEqual(await put('1', { ifAbsent: true }), [
    // The root is durable, and what leads to the object.
    'sync .',
    'sync root',
    'sync root/a',
    'sync root/a/b/~',
    'link root/a/b/~ root/a/b/c',
    'sync root/a/b',
    'answer true',
  ])
})

test('put() after something makes all ready that it may, and places the object when that is done', async (t) => {
  const { put } = await store(t, 'a/b/c')
  for (const [n, options] of [
    [1, { ifAbsent: true }],
    [2, {}],
  ] as const) {
    const first = Promise.withResolvers<void>()
    const putting = put(String(n), { ...options, after: first.promise })
    await eventually(() => calls.includes('sync root/a/b/~') && (n === 2 || calls.includes('sync root/a')))
    await sleep(20)
    assert.deepEqual(calls.filter(isPlaced), [])
    calls.push('first is done')
    first.resolve()
    await putting
    assert.ok(calls.indexOf('first is done') < calls.findIndex(isPlaced))
    assert.equal(calls.at(-2), 'sync root/a/b')
  }
})

test('put() of an object that is there answers when that one is on the disk', async (t) => {
  const { put } = await store(t, 'a/c')
  await put('1', { ifAbsent: true })
  assert.deepEqual(await put('2', { ifAbsent: true }), [
    'sync root/a/~',
    'link root/a/~ root/a/c',
    'sync root/a',
    'answer false',
  ])
})

test('put() that need not be durable syncs nothing, and the next that must be syncs all', async (t) => {
  const { put } = await store(t, 'a/c')
  // The root alone, which is made once.
  assert.deepEqual(await put('1', { durable: false }), ['sync .', 'rename root/a/~ root/a/c', 'answer true'])
  assert.deepEqual(await put('2'), [
    'sync root',
    'sync root/a/~',
    'rename root/a/~ root/a/c',
    'sync root/a',
    'answer true',
  ])
})

test('put() over an object answers when the new one is on the disk', async (t) => {
  const { put } = await store(t, 'a/c')
  await put('1')
  assert.deepEqual(await put('2'), [
    'sync root/a/~',
    'rename root/a/~ root/a/c',
    'sync root/a',
    'answer true',
  ])
})

function isPlaced(call: string): boolean {
  return /^(link|rename) /.test(call)
}

/** `root/a/~` for the temporary file, whatever its name. */
function short(path: string): string {
  return (relative(base, path) || '.').replace(/~[^/]+$/, '~')
}

/** Records what is done for durability: a call is noted when it has ended. */
function recordCalls(): void {
  const { open, link, rename } = promises
  promises.open = async (path, ...rest) => {
    const handle = await open(path, ...rest)
    const { sync } = handle
    handle.sync = async () => {
      await sync.call(handle)
      calls.push(`sync ${short(String(path))}`)
    }
    return handle
  }
  promises.link = async (from, to) => {
    await link(from, to).finally(() => calls.push(`link ${short(String(from))} ${short(String(to))}`))
  }
  promises.rename = async (from, to) => {
    await rename(from, to)
    calls.push(`rename ${short(String(from))} ${short(String(to))}`)
  }
  syncBuiltinESMExports()
}
