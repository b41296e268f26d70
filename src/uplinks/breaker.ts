/** Whether an uplink is asked at all. */
export interface Breaker {
  /** Whether calls are let through. */
  readonly closed: boolean
  /** Failures in a row that count. */
  readonly failures: number
  /** When the next probe goes out, on the monotonic clock; `undefined` while closed. */
  readonly probeAt: number | undefined
  /** Which run of the closed state a call began in; given back to {@link Breaker.report}. */
  readonly epoch: number
  /** How a call that began in `epoch` went; one of an older epoch says nothing about now and is ignored. */
  report(ok: boolean, epoch: number): void
  /** Stops probing for good; it stays as it is. */
  stop(): void
}

export interface BreakerSpec {
  /** 0: never opens. */
  readonly maxFails: number
  /** Milliseconds within which the failures have to be. */
  readonly failTimeout: number
  /** Milliseconds between probes; default 5 s. */
  readonly probeEvery?: number
  /**
   * Resolves to whether the uplink is back; to fail is to say no. The signal ends when nobody waits for the answer.
   * A probe that hangs does not hold up the next one, so it has to end by itself.
   */
  probe(signal: AbortSignal): Promise<boolean>
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
  let failedAt: readonly number[] = []
  let epoch = 0
  /** Ends with the opening that it stands for. */
  let opening: AbortController | undefined
  let probeAt: number | undefined
  let stopped = false

  function open(): void {
    epoch += 1
    opening = new AbortController()
    const { signal } = opening
    const next = () => {
      probeAt = spec.monotonic() + probeEvery
    }
    const timer = setInterval(() => {
      next()
      void probe(signal)
    }, probeEvery)
    timer.unref()
    signal.addEventListener('abort', () => clearInterval(timer))
    next()
    spec.onChange?.(false)
  }

  function close(): void {
    opening?.abort()
    opening = undefined
    probeAt = undefined
    failedAt = []
    spec.onChange?.(true)
  }

  async function probe(signal: AbortSignal): Promise<void> {
    if ((await succeeds(signal)) && !signal.aborted) close()
  }

  async function succeeds(signal: AbortSignal): Promise<boolean> {
    try {
      return await spec.probe(signal)
    } catch {
      return false // Why it is still away is for the probe to tell.
    }
  }

  return {
    get closed() {
      return opening === undefined
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
      if (stopped || opening !== undefined || of !== epoch || maxFails === 0) return
      const now = spec.monotonic()
      failedAt = ok ? [] : [...failedAt.filter((at) => now - at < failTimeout), now]
      if (failedAt.length >= maxFails) open()
    },
    stop() {
      stopped = true
      opening?.abort()
    },
  }
}
