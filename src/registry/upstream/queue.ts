/** Work of which only so much runs at a time. */
export interface Queue {
  /** `ended` is called once, whether the work ran or waited for too long. */
  add(work: () => Promise<void>, ended: () => void): void
  /** Drops what waits, and waits for what runs. */
  close(): Promise<void>
}

interface Waiting {
  readonly work: () => Promise<void>
  readonly ended: () => void
  readonly since: number
}

/** `work` must not fail. */
export function createQueue(parallel: number, maxWait: number, monotonic: () => number): Queue {
  const waiting: Waiting[] = []
  const running = new Set<Promise<void>>()
  let closed = false

  function next(): void {
    while (running.size < parallel) {
      const first = waiting.shift()
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
    add(work, ended) {
      waiting.push({ work, ended, since: monotonic() })
      next()
    },
    async close() {
      closed = true
      for (const { ended } of waiting.splice(0)) ended()
      await Promise.allSettled([...running])
    },
  }
}
