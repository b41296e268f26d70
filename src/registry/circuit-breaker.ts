/** Failures in a row after which calls are skipped. */
const MAX_FAILURES = 5
/** Milliseconds for which they are skipped, before one call is let through to see. */
const REST = 1_000

/** Keeps callers away from something that fails. */
export interface CircuitBreaker {
  /** Whether to make a call now; who does reports how it went. */
  admits(): boolean
  report(ok: boolean): void
}

/** A breaker that opens after five failures in a row, and lets one call through each second until one succeeds. */
export function circuitBreaker(now: () => number = () => performance.now()): CircuitBreaker {
  let failures = 0
  let restsUntil = 0
  return {
    admits() {
      if (failures < MAX_FAILURES) return true
      if (now() < restsUntil) return false
      // Others wait for what this call finds, or another rest.
      restsUntil = now() + REST
      return true
    },
    report(ok) {
      failures = ok ? 0 : failures + 1
      if (failures >= MAX_FAILURES) restsUntil = now() + REST
    },
  }
}
