import { buffer } from 'node:stream/consumers'
import { CargoError } from '../errors.ts'
import type { ListedObject, ObjectStore, StoredObject } from '../host.ts'

/** What the registry uses of a store. */
export type RegistryStorage = Pick<
  ObjectStore,
  'multiWriter' | 'heedsAfter' | 'get' | 'open' | 'stat' | 'put' | 'delete' | 'list' | 'signedUrl'
>

/**
 * The same store, all of whose failures are `CargoError`s: what a store throws in its own words means that it is away,
 * which a client may try again, and nothing of those words is for clients.
 */
export function reliableStorage(storage: ObjectStore): RegistryStorage {
  const { open, signedUrl } = storage
  return {
    multiWriter: storage.multiWriter,
    heedsAfter: storage.heedsAfter ?? false,
    get: (...args) => orUnavailable(() => storage.get(...args)),
    stat: (...args) => orUnavailable(() => storage.stat(...args)),
    put: (...args) => orUnavailable(() => storage.put(...args)),
    delete: (...args) => orUnavailable(() => storage.delete(...args)),
    ...(open && { open: (key: string) => orUnavailable(() => open.call(storage, key)) }),
    ...(signedUrl && { signedUrl: (...args) => orUnavailable(() => signedUrl.apply(storage, args)) }),
    async *list(...args): AsyncGenerator<ListedObject> {
      try {
        yield* storage.list(...args)
      } catch (error) {
        throw unavailable(error)
      }
    },
  }
}

/** All bytes of a small object; a failure on the way is one of the store. */
export function readBytes(object: StoredObject): Promise<Buffer> {
  return orUnavailable(() => buffer(object.body))
}

/** The same, as they come. */
export async function* readChunks(object: StoredObject): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of object.body) yield chunk
  } catch (error) {
    throw unavailable(error)
  }
}

async function orUnavailable<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw unavailable(error)
  }
}

function unavailable(error: unknown): CargoError {
  if (error instanceof CargoError) return error
  return new CargoError('unavailable', 'storage is not available, try again later', { cause: error })
}
