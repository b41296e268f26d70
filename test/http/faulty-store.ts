import type { ObjectStore } from '../../src/host.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'

/** A store that fails when it is told to. */
export interface FaultyStore {
  readonly storage: ObjectStore
  /** Every call of one of these operations (default: all) throws `error` from now on; `undefined` ends it. */
  fail(error: Error | undefined, operations?: readonly Operation[]): void
}

type Operation = 'get' | 'stat' | 'put' | 'list'

/** A memory store in front of which faults can be put. */
export function faultyStore(): FaultyStore {
  const { open: _, ...inner } = memoryStorage()
  let fault: { readonly error: Error; readonly operations: readonly Operation[] } | undefined
  const pass = (operation: Operation) => {
    if (fault?.operations.includes(operation)) throw fault.error
  }
  return {
    fail(error, operations = ['get', 'stat', 'put', 'list']) {
      fault = error && { error, operations }
    },
    storage: {
      ...inner,
      async get(...args) {
        pass('get')
        return inner.get(...args)
      },
      async stat(...args) {
        pass('stat')
        return inner.stat(...args)
      },
      async put(...args) {
        pass('put')
        return inner.put(...args)
      },
      async *list(...args) {
        pass('list')
        yield* inner.list(...args)
      },
    },
  }
}
