import { CargoError } from '../errors.ts'

/** Gives a place back; to be called once. */
export type Leave = () => void

/** Places for those who read something long, each of whom holds a connection as long as they like. */
export interface Readers {
  /** A place, if one is free. */
  enter(): Leave | undefined
  /** The next place that is free. @throws {CargoError} `unavailable` when none is in time */
  wait(): Promise<Leave>
}

/** @param timeout milliseconds to wait for a place */
export function createReaders(places: number, timeout: number): Readers {
  const waiting = new Set<(leave: Leave) => void>()
  let free = places

  function leave(): void {
    const [next] = waiting
    if (next === undefined) free += 1
    else {
      waiting.delete(next)
      next(leave)
    }
  }

  function enter(): Leave | undefined {
    if (free === 0) return undefined
    free -= 1
    return leave
  }

  return {
    enter,
    async wait() {
      const now = enter()
      if (now !== undefined) return now
      const { promise, resolve, reject } = Promise.withResolvers<Leave>()
      waiting.add(resolve)
      const timer = setTimeout(() => {
        waiting.delete(resolve)
        reject(new CargoError('unavailable', 'too many read long objects of the storage at a time'))
      }, timeout)
      try {
        return await promise
      } finally {
        clearTimeout(timer)
      }
    },
  }
}
