import { CargoError } from '../errors.ts'

/** So much at a time; what comes beyond waits, but not without bound. */
export interface Turns {
  /**
   * Does `work` when its turn comes; `key` says whose it is.
   * @throws {CargoError} `unavailable` when too many wait already, or the turn does not come in time
   */
  run<T>(work: () => Promise<T>, key?: string): Promise<T>
}

export interface TurnsSpec {
  readonly parallel: number
  /** Most at a time with one key; default: all. */
  readonly parallelPerKey?: number
  /** Most that wait. */
  readonly waiting: number
  /** Longest wait, in milliseconds. */
  readonly maxWaitMs: number
  /** What there is too much of: `publishes`. */
  readonly what: string
}

interface Waiting {
  readonly key: string
  start(): void
}

/** Turns in the order of arrival, but that a key with all its places taken lets others pass. */
export function createTurns(spec: TurnsSpec): Turns {
  const { parallel, parallelPerKey = parallel, what } = spec
  const running = new Map<string, number>()
  const waiting = new Set<Waiting>()
  let total = 0

  const isFree = (key: string) => total < parallel && (running.get(key) ?? 0) < parallelPerKey

  function occupy(key: string): void {
    total += 1
    running.set(key, (running.get(key) ?? 0) + 1)
  }

  function leave(key: string): void {
    total -= 1
    const left = (running.get(key) ?? 0) - 1
    if (left > 0) running.set(key, left)
    else running.delete(key)
    for (const next of waiting) {
      if (total >= parallel) return
      if (!isFree(next.key)) continue
      waiting.delete(next)
      occupy(next.key)
      next.start()
    }
  }

  async function enter(key: string): Promise<void> {
    if (isFree(key)) return occupy(key)
    if (waiting.size >= spec.waiting) throw tooMany(what)
    const turn = Promise.withResolvers<void>()
    const mine: Waiting = { key, start: turn.resolve }
    waiting.add(mine)
    const timer = setTimeout(() => {
      // Whose turn came just now is not late.
      if (waiting.delete(mine)) turn.reject(tooMany(what))
    }, spec.maxWaitMs)
    try {
      await turn.promise
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    async run(work, key = '') {
      await enter(key)
      try {
        return await work()
      } finally {
        leave(key)
      }
    },
  }
}

function tooMany(what: string): CargoError {
  return new CargoError('unavailable', `too many ${what} at the moment, try again later`, { retryAfter: 5 })
}
