import type { Logger } from '../host.ts'

/** What a client wants first is answered first. */
const DELAY_MS = 1000

/** Loads behind the answers, once, what would make the first who needs it wait. */
export interface LoadAhead {
  /** Loads a second after the first call; a failure is logged, and whoever needs it loads it then. */
  soon(): void
  /** Nothing begins any more. */
  close(): void
}

export function createLoadAhead(load: () => Promise<unknown>, logger: Logger): LoadAhead {
  let timer: NodeJS.Timeout | undefined
  let [asked, closed] = [false, false]
  return {
    soon() {
      if (asked || closed) return
      asked = true
      timer = setTimeout(() => {
        load().catch((error: unknown) => {
          logger.warn({ err: error }, 'the search catalogue is not loaded yet')
        })
      }, DELAY_MS).unref()
    },
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}
