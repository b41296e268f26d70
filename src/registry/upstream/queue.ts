/** Work of which only so much runs at a time. */
export interface Queue {
  /**
   * Whether there is room for it; if so, `ended` is called once, whether the work runs or waits for too long.
   * `urgent`: before all that is not.
   */
  add(work: () => Promise<void>, ended: () => void, urgent?: boolean): boolean
  /** Drops what waits, and waits for what runs. */
  close(): Promise<void>
}

interface Waiting {
  readonly work: () => Promise<void>
  readonly ended: () => void
  readonly since: number
}

/** Work that waits, at some 300 bytes each. */
const MAX_WAITING = 20_000

/** `work` must not fail. */
export function createQueue(parallel: number, maxWait: number, monotonic: () => number): Queue {
  const urgentOnes: Waiting[] = []
  const others: Waiting[] = []
  const running = new Set<Promise<void>>()
  let closed = false

  function next(): void {
    while (running.size < parallel) {
      const first = urgentOnes.shift() ?? others.shift()
      if (first === undefined) return
      if (closed || monotonic() - first.since > maxWait) {
        first.ended()
        continue
      }
      const run: Promise<void> = first.work().finally(() => {
        running.delete(run)
        first.ended()
        next()
      })
      running.add(run)
    }
  }

  return {
    add(work, ended, urgent = false) {
      if (urgentOnes.length + others.length >= MAX_WAITING) return false
      const waiting = urgent ? urgentOnes : others
      waiting.push({ work, ended, since: monotonic() })
      next()
      return true
    },
    async close() {
      closed = true
      for (const { ended } of [...urgentOnes.splice(0), ...others.splice(0)]) ended()
      await Promise.allSettled([...running])
    },
  }
}
