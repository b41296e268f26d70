import { setImmediate as turn } from 'node:timers/promises'

/** Does long work in parts, and lets everybody else work in between. */
export async function inTurns<T>(work: Generator<undefined, T>): Promise<T> {
  for (;;) {
    const part = work.next()
    if (part.done) return part.value
    await turn()
  }
}
