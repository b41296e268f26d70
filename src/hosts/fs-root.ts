import { stat } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { guarded } from './fs-error.ts'

/** The folder that a store is in. */
export interface Root {
  readonly path: string
  /**
   * Whether it is there: what is missing in a root that is gone, as a volume that was taken away, says nothing. All who
   * ask in one turn share a look, since it begins after each of them asked: a resolution of many unknown crates asks
   * thousands of times.
   * @throws {CargoError} `unavailable` when it is gone
   */
  mustBeThere(): Promise<void>
}

export function createRoot(path: string): Root {
  let next: Promise<void> | undefined

  async function look(): Promise<void> {
    await turn()
    next = undefined
    await guarded(stat(path))
  }

  return {
    path,
    mustBeThere() {
      next ??= look()
      return next
    },
  }
}
