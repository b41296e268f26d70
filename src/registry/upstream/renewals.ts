import { createQueue } from './queue.ts'

/**
 * So many milliseconds after the answer, at least. A client that wants one index file wants a hundred: their renewals are
 * ten times the work of their answers, and nobody waits for them.
 */
const BEHIND_MS = 1_000
/** Renewals that run at a time: of Verdaccio's 40 connections some stay for who waits. */
const PARALLEL = 16

/** Index files that are renewed behind the answers. */
export interface Renewals {
  /** Does `work`, which must not fail, once for a key whose work is yet to be done. */
  add(key: string, work: () => Promise<void>): void
  /** Drops what waits, and waits for what runs. */
  close(): Promise<void>
}

export function createRenewals(monotonic: () => number): Renewals {
  const queue = createQueue(PARALLEL, Number.POSITIVE_INFINITY, monotonic)
  const known = new Set<string>()
  let next: (() => void)[] = []
  let isClosed = false

  function beginAll(): void {
    const all = next
    next = []
    for (const begin of all) begin()
  }

  return {
    add(key, work) {
      if (isClosed || known.has(key)) return
      known.add(key)
      const ended = () => void known.delete(key)
      const count = next.push(() => queue.add(work, ended) || ended())
      if (count === 1) setTimeout(beginAll, BEHIND_MS).unref()
    },
    async close() {
      isClosed = true
      next = []
      await queue.close()
    },
  }
}
