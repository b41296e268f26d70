import { randomBytes } from 'node:crypto'
import type { ObjectStore } from '../host.ts'
import { readBytes } from './reliable-storage.ts'

/** A secret that all processes on a store share; whoever needs it first makes it. */
export async function loadSecret(storage: ObjectStore, key: string): Promise<Buffer> {
  const found = await storage.get(key)
  if (found !== undefined) return readBytes(found)
  const fresh = randomBytes(32)
  if (await storage.put(key, fresh, { ifAbsent: true })) return fresh
  return loadSecret(storage, key)
}
