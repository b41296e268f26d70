/** Whether an uplink is asked at all. */
export interface Breaker {
  /** Whether calls are let through. */
  readonly closed: boolean
  /** Failures in a row. */
  readonly failures: number
  /** When the next probe goes out, on the monotonic clock; `undefined` while closed. */
  readonly probeAt: number | undefined
  /** Which run of the closed state a call began in; given back to {@link Breaker.report}. */
  readonly epoch: number
  /** How a call that began in `epoch` went; one of an older epoch says nothing about now and is ignored. */
  report(ok: boolean, epoch: number): void
  /** Stops probing. */
  stop(): void
}

export interface BreakerSpec {
  /** 0: never opens. */
  readonly maxFails: number
  /** Milliseconds within which the failures have to be. */
  readonly failTimeout: number
  /** Milliseconds between probes. */
  readonly probeEvery?: number
  /** Resolves to whether the uplink is back; the signal ends with {@link Breaker.stop}. */
  probe(): Promise<boolean>
  /** Milliseconds on a clock that never goes back. */
  monotonic(): number
  /** Told when it opened or closed. */
  onChange?(closed: boolean): void
}

const PROBE_EVERY = 5_000

/** A breaker that opens after `maxFails` failures in a row within `failTimeout`, and closes when a probe succeeds. */
export function createBreaker({
  maxFails,
  failTimeout,
  probeEvery = PROBE_EVERY,
  ...spec
}: BreakerSpec): Breaker {
  let failedAt: number[] = []
  let epoch = 0
  let closed = true
  let probeAt: number | undefined
  let timer: NodeJS.Timeout | undefined

  function schedule(): void {
    probeAt = spec.monotonic() + probeEvery
    timer = setTimeout(() => void probe(epoch), probeEvery)
    timer.unref()
  }

  async function probe(of: number): Promise<void> {
    const back = await spec.probe().catch(() => false)
    if (of !== epoch || closed) return
    if (back) change(true)
    else schedule()
  }

  function change(to: boolean): void {
    clearTimeout(timer)
    epoch += 1
    closed = to
    probeAt = undefined
    if (closed) failedAt = []
    else schedule()
    spec.onChange?.(closed)
  }

  return {
    get closed() {
      return closed
    },
    get failures() {
      return failedAt.length
    },
    get probeAt() {
      return probeAt
    },
    get epoch() {
      return epoch
    },
    report(ok, of) {
      if (!closed || of !== epoch) return
      if (ok) {
        failedAt = []
        return
      }
      const now = spec.monotonic()
      failedAt = [...failedAt.filter((at) => now - at < failTimeout), now].slice(-Math.max(1, maxFails))
      if (maxFails > 0 && failedAt.length >= maxFails) change(false)
    },
    stop() {
      clearTimeout(timer)
      epoch += 1
    },
  }
}
