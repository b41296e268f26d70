import { CargoError } from '../errors.ts'
import type { UplinkOptions } from '../options.ts'
import { createBreaker } from './breaker.ts'
import { toUplinkError, UplinkError } from './uplink-error.ts'

/** Seconds to leave an uplink alone that limits us without saying for how long. */
export const DEFAULT_RETRY_AFTER = 10

/** What an uplink was asked for. */
export type RequestKind = 'config' | 'index' | 'crate' | 'search' | 'about'

export interface UplinkState {
  /** Whether it has ever answered this process. */
  readonly answered: boolean
  /** Whether it is asked at all: not while its breaker is open or it has limited us. */
  readonly asked: boolean
  readonly lastError?: { readonly message: string; readonly at: string }
}

/** A question that is being asked. */
export interface Question {
  answered(): void
  /** The failure as it is to be thrown. */
  failed(error: unknown): CargoError
}

/** Whether an uplink may be asked, by how it answered before. */
export interface Standing {
  /** @throws {UplinkError} when the uplink must not be asked now */
  begin(kind: RequestKind): Question
  /** Runs one question. */
  asking<T>(kind: RequestKind, run: () => Promise<T>): Promise<T>
  state(): UplinkState
  stop(): void
}

export interface StandingDeps {
  readonly name: string
  readonly options: Pick<UplinkOptions, 'max_fails' | 'fail_timeout'>
  readonly offline: boolean
  readonly now: () => Date
  readonly monotonic: () => number
  /** Milliseconds between probes of an uplink that is away; default 5 s. */
  readonly probeEvery?: number
  /** Asks something that every uplink answers; fails as a question would. */
  probe(signal: AbortSignal): Promise<void>
  /** Told how every request ended that went out and was not given up; must not throw. */
  onRequest?(kind: RequestKind, outcome: string): void
  /** Told when calls stop (`false`) and when they go on. */
  onAvailable?(available: boolean): void
}

export function createStanding({ name, options, monotonic, ...deps }: StandingDeps): Standing {
  let limitedUntil = Number.NEGATIVE_INFINITY
  let hasAnswered = false
  let lastError: UplinkState['lastError']
  const breaker = createBreaker({
    maxFails: options.max_fails,
    failTimeout: options.fail_timeout,
    ...(deps.probeEvery !== undefined && { probeEvery: deps.probeEvery }),
    monotonic,
    probe: isBack,
    onChange: (closed) => deps.onAvailable?.(closed),
  })

  /** Seconds for which it has limited us. */
  const limitedFor = () => Math.ceil(Math.max(0, limitedUntil - monotonic()) / 1000)

  function mustBeAsked(): void {
    if (deps.offline) throw new UplinkError(name, 'away', 'is not asked: `offline` is set')
    const wait = limitedFor()
    if (wait > 0) throw new UplinkError(name, 'limited', 'has limited us', { retryAfter: wait })
    if (breaker.closed) return
    const probeIn = Math.ceil(((breaker.probeAt ?? monotonic()) - monotonic()) / 1000)
    const why = lastError?.message.replace(/^uplink `[^`]*` /, '') ?? 'failed'
    throw new UplinkError(name, 'away', `is left alone for a while: it ${why}`, {
      retryAfter: Math.max(1, probeIn),
    })
  }

  function note(kind: RequestKind, error: UplinkError): void {
    lastError = { message: error.message, at: deps.now().toISOString() }
    if (error.fault === 'limited' && isOfIndex(kind)) {
      limitedUntil = Math.max(limitedUntil, monotonic() + 1000 * (error.retryAfter ?? DEFAULT_RETRY_AFTER))
    }
    deps.onRequest?.(kind, error.fault)
  }

  async function isBack(signal: AbortSignal): Promise<boolean> {
    if (limitedFor() > 0) return false
    try {
      await deps.probe(signal)
      deps.onRequest?.('config', 'ok')
      return true
    } catch (thrown) {
      if (signal.aborted) return false
      const error = toUplinkError(name, thrown)
      note('config', error)
      // What is wrong otherwise, a question has to find out.
      return !isFailure(error) && error.fault !== 'limited'
    }
  }

  function begin(kind: RequestKind): Question {
    mustBeAsked()
    const { epoch } = breaker
    const report = (ok: boolean) => {
      if (isOfIndex(kind)) breaker.report(ok, epoch)
    }
    const answered = (outcome = 'ok') => {
      hasAnswered = true
      report(true)
      deps.onRequest?.(kind, outcome)
    }
    return {
      answered: () => answered(),
      failed(thrown) {
        if (thrown instanceof CargoError && !(thrown instanceof UplinkError)) {
          // The uplink is well, and said no.
          answered(thrown.code)
          return thrown
        }
        const error = toUplinkError(name, thrown)
        note(kind, error)
        if (isFailure(error)) report(false)
        return error
      },
    }
  }

  return {
    begin,
    async asking(kind, run) {
      const question = begin(kind)
      try {
        const value = await run()
        question.answered()
        return value
      } catch (error) {
        throw question.failed(error)
      }
    },
    state: () => ({
      answered: hasAnswered,
      asked: !deps.offline && breaker.closed && limitedFor() === 0,
      ...(lastError !== undefined && { lastError }),
    }),
    stop: () => breaker.stop(),
  }
}

/**
 * What is only nice to know may come from another server, or be what limits us first: that it fails must keep nobody
 * from building.
 */
function isOfIndex(kind: RequestKind): boolean {
  return kind !== 'about'
}

/** Whether the uplink is to blame for not being there; other faults are answers, if not the wanted ones. */
function isFailure({ fault }: UplinkError): boolean {
  return fault === 'away' || fault === 'cut'
}
