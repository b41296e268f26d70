import { setImmediate as turn } from 'node:timers/promises'

/** Does long work in parts, and lets everybody else work in between. */
export async function inTurns<T>(work: Generator<undefined, T>): Promise<T> {
  for (;;) {
    const part = work.next()
    if (part.done) return part.value
    await turn()
  }
}

/** Does all of it in one turn. */
export function atOnce<T>(work: Generator<undefined, T>): T {
  for (;;) {
    const part = work.next()
    if (part.done) return part.value
  }
}

/** For so many milliseconds at most nobody else gets a turn. */
const TURN_MS = 5

/** What long work that has no parts of its own awaits now and then: it waits only when the turn has been long enough. */
export function createTurns(monotonic: () => number): () => Promise<void> {
  let since = monotonic()
  return async () => {
    if (monotonic() - since < TURN_MS) return
    await turn()
    since = monotonic()
  }
}
