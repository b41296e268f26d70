import assert from 'node:assert/strict'
import { type Check, keys } from './stored-objects.ts'

/** The part of the contract about `list`. */
export function lists(check: Check): void {
  check('list() is in the order of whole keys', async (store) => {
    const written = ['a0', 'a/x', 'a-b/x', 'a.b', 'a+', 'a-', 'A', 'a/x.y', 'a/x-y/z', 'a_', '0/1', 'a-b/x.1']
    for (const key of written) await store.put(key, Buffer.from(key))
    assert.deepEqual(await keys(store, ''), [...written].sort())
    for await (const object of store.list('')) assert.equal(object.size, object.key.length)
  })

  check('list() agrees with a sorted reference for any prefix and start', async (store) => {
    const random = randomNumbers(7)
    const written = randomKeys(random, 250)
    await Promise.all(written.map((key) => store.put(key, Buffer.from(key))))
    const sorted = [...written].sort()
    assert.deepEqual(await keys(store, ''), sorted)
    for (let trial = 0; trial < 60; trial++) {
      const any = sorted[random(sorted.length)] ?? ''
      const other = sorted[random(sorted.length)] ?? ''
      const prefix = any.slice(0, random(any.length + 1))
      const after = random(3) === 0 ? other.slice(0, random(other.length + 1)) : other
      const wanted = sorted.filter((key) => key.startsWith(prefix))
      assert.deepEqual(await keys(store, prefix), wanted, prefix)
      assert.deepEqual(
        await keys(store, prefix, after),
        wanted.filter((key) => key > after),
        `${prefix} after ${after}`,
      )
    }
  })

  check('list() of nothing is empty, and may be given up', async (store) => {
    assert.deepEqual(await keys(store, 'no/such/'), [])
    assert.deepEqual(await keys(store, 'no/such'), [])
    await Promise.all(['b/1', 'b/2', 'b/3'].map((key) => store.put(key, Buffer.from(key))))
    for await (const { key } of store.list('b/')) {
      assert.equal(key, 'b/1')
      break
    }
  })
}

/** Numbers from 0 up to a limit, the same at each run (mulberry32). */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

/** Keys of which none is the folder of another, made of the letters whose order is easily got wrong. */
function randomKeys(random: (limit: number) => number, count: number): string[] {
  const letters = ['a', 'b', '0', '-', '.', '+', '_', 'Z']
  const segment = () => Array.from({ length: 1 + random(3) }, () => letters[random(letters.length)]).join('')
  const found = new Set<string>()
  while (found.size < count) {
    const key = Array.from({ length: 1 + random(3) }, segment).join('/')
    const isDotted = key.split('/').some((part) => part === '.' || part === '..')
    const clashes = [...found].some(
      (other) => `${other}/`.startsWith(`${key}/`) || key.startsWith(`${other}/`),
    )
    if (!isDotted && !clashes) found.add(key)
  }
  return [...found]
}
