import { Readable } from 'node:stream'
import { CargoError } from '../errors.ts'
import type { ObjectStore } from '../host.ts'

/**
 * A store that is opened by the first call that needs it, for hosts that cannot wait for it at their start. While it
 * cannot be opened calls fail with `unavailable`, and each next one tries again; `onFailure` is told why.
 */
export function lazyStore(
  open: () => Promise<ObjectStore>,
  { multiWriter, onFailure }: { readonly multiWriter: boolean; onFailure(error: unknown): void },
): ObjectStore & { close(): Promise<void> } {
  let opening: Promise<ObjectStore> | undefined

  function store(): Promise<ObjectStore> {
    opening ??= open().catch((cause: unknown) => {
      opening = undefined
      onFailure(cause)
      throw new CargoError('unavailable', 'storage cannot be opened, the operator has been told', { cause })
    })
    return opening
  }

  return {
    multiWriter,
    get: async (key, range) => (await store()).get(key, range),
    stat: async (key) => (await store()).stat(key),
    async put(key, body, options) {
      // A source may fail while it waits, which without a listener ends the process; reading tells it later.
      if (body instanceof Readable) body.on('error', () => {})
      try {
        return await (await store()).put(key, body, options)
      } finally {
        if (body instanceof Readable) body.destroy()
      }
    },
    delete: async (key) => (await store()).delete(key),
    async *list(prefix, options) {
      yield* (await store()).list(prefix, options)
    },
    async close() {
      const opened = await opening?.catch(() => undefined)
      await opened?.close?.()
    },
  }
}
