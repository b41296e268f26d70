import { CargoError } from '../errors.ts'
import type { UplinkOptions } from '../options.ts'
import { createBreaker } from './breaker.ts'
import { toUplinkError, UplinkError } from './uplink-error.ts'

/** Seconds to leave an uplink alone that limits us without saying for how long. */
export const DEFAULT_RETRY_AFTER = 10

/** What an uplink was asked for. */
export type RequestKind = 'config' | 'index' | 'crate' | 'search'

export interface UplinkState {
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
  /** Whether an uplink that was away answers again. */
  probe(): Promise<boolean>
  /** Told of every request that went out and how it ended; must not throw. */
  onRequest?(kind: RequestKind, outcome: string): void
  /** Told when calls stop (`false`) and when they go on. */
  onAvailable?(available: boolean): void
}

export function createStanding({ name, options, monotonic, ...deps }: StandingDeps): Standing {
  let limitedUntil = Number.NEGATIVE_INFINITY
  let lastError: UplinkState['lastError']
  const breaker = createBreaker({
    maxFails: options.max_fails,
    failTimeout: options.fail_timeout,
    monotonic,
    probe: deps.probe,
    onChange: (closed) => deps.onAvailable?.(closed),
  })

  function mustBeAsked(): void {
    if (deps.offline) throw new UplinkError(name, 'away', 'is not asked: `offline` is set')
    const wait = Math.ceil((limitedUntil - monotonic()) / 1000)
    if (wait > 0) throw new UplinkError(name, 'limited', 'has limited us', { retryAfter: wait })
    if (breaker.closed) return
    const probeIn = Math.ceil(((breaker.probeAt ?? monotonic()) - monotonic()) / 1000)
    const why = lastError?.message.replace(/^uplink `[^`]*` /, '') ?? 'failed'
    throw new UplinkError(name, 'away', `is left alone for a while: it ${why}`, {
      retryAfter: Math.max(1, probeIn),
    })
  }

  function note(error: UplinkError, epoch: number): void {
    lastError = { message: error.message, at: deps.now().toISOString() }
    if (error.fault === 'limited') {
      limitedUntil = Math.max(limitedUntil, monotonic() + 1000 * (error.retryAfter ?? DEFAULT_RETRY_AFTER))
    }
    if (error.fault === 'away' || error.fault === 'cut') breaker.report(false, epoch)
  }

  function begin(kind: RequestKind): Question {
    mustBeAsked()
    const { epoch } = breaker
    const answered = (outcome = 'ok') => {
      breaker.report(true, epoch)
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
        note(error, epoch)
        deps.onRequest?.(kind, error.fault)
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
      asked: !deps.offline && breaker.closed && limitedUntil <= monotonic(),
      ...(lastError !== undefined && { lastError }),
    }),
    stop: () => breaker.stop(),
  }
}
