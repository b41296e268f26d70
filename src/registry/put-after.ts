import type { ObjectStore } from '../host.ts'

/**
 * Creates an object that nobody may see before `first` is done: a store that heeds that makes ready meanwhile what it
 * can. `false`: it was there already. When `first` fails nothing is written, and this fails with it.
 */
export async function createAfter(
  storage: Pick<ObjectStore, 'put' | 'heedsAfter'>,
  key: string,
  bytes: Uint8Array,
  first: Promise<unknown> | undefined,
): Promise<boolean> {
  if (first !== undefined && storage.heedsAfter)
    return storage.put(key, bytes, { ifAbsent: true, after: first })
  await first
  return storage.put(key, bytes, { ifAbsent: true })
}
