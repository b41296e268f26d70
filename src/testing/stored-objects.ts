import assert from 'node:assert/strict'
import { buffer as readAll } from 'node:stream/consumers'
import type { ObjectStore } from '../host.ts'

/** Makes one test of the contract suite, with a store of its own. */
export type Check = (title: string, body: (store: ObjectStore) => Promise<void>) => void

/** All of an object; `undefined` when it is absent. Read through `open` too, where there is one. */
export async function content(store: ObjectStore, key: string): Promise<Buffer | undefined> {
  const object = await store.get(key)
  if (object === undefined) return undefined
  const bytes = await readAll(object.body)
  assert.equal(object.size, bytes.length)
  const opened = await store.open?.(key)
  if (opened !== undefined) {
    const again = Buffer.alloc(bytes.length)
    for (let at = 0; at < again.length; ) at += await opened.read(again.subarray(at), at)
    await opened.close()
    assert.ok(again.equals(bytes))
  }
  return bytes
}

/** The keys that `list` gives. */
export async function keys(store: ObjectStore, prefix: string, after?: string): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of store.list(prefix, after === undefined ? {} : { after })) found.push(key)
  return found
}
