import type { Reply } from './reply.ts'

/** So many answers wait for each other at most. */
const MAX_WAITING = 16

interface Ending {
  readonly res: Reply
  readonly body: Buffer | undefined
}

/**
 * Ends answers whose heads are set: all those of one turn of the event loop together, when the requests of that turn
 * are read. What cannot be ended is told to `onError`.
 *
 * Why: a send that wakes its sleeping reader costs several times what another one does, and a proxy or a client with
 * many connections is woken once by all of them. It doubles the answers in a second (`npm run bench`).
 */
export function createEndings(onError: (error: unknown) => void): (res: Reply, body?: Buffer) => void {
  let waiting: Ending[] = []

  function endAll(): void {
    const endings = waiting
    waiting = []
    for (const { res, body } of endings) end(res, body)
  }

  function end(res: Reply, body: Buffer | undefined): void {
    // Writing to who has gone is an error that nobody hears of.
    if (res.destroyed) return
    try {
      res.end(body)
    } catch (error) {
      onError(error)
      res.destroy()
    }
  }

  return (res, body) => {
    const count = waiting.push({ res, body })
    if (count === 1) setImmediate(endAll)
    if (count === MAX_WAITING) endAll()
  }
}
