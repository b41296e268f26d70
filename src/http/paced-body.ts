import { CargoError } from '../errors.ts'

/** The slowest line that is waited for. */
const MIN_BYTES_PER_SECOND = 1024
/** The pace is looked at after so many of the longest waits: a pause alone is not slow. */
const WAITS_PER_LOOK = 2

/**
 * The bytes of `source`, unless it pauses for longer than `maxWaitMs`, or brings less than a KiB a second on average over
 * twice that time. Only the time spent waiting for it counts: we may be slow ourselves.
 * @throws {CargoError} `request_timeout`
 */
export async function* pacedBody(
  source: AsyncIterator<Uint8Array>,
  maxWaitMs: number,
): AsyncGenerator<Uint8Array> {
  const lookAfter = WAITS_PER_LOOK * maxWaitMs
  let waited = 0
  let got = 0
  try {
    for (;;) {
      const asked = performance.now()
      const next = await within(source.next(), maxWaitMs)
      if (next.done) return
      waited += performance.now() - asked
      got += next.value.length
      if (waited >= lookAfter) {
        if (got < (MIN_BYTES_PER_SECOND * waited) / 1000) throw tooSlow(`${got} bytes in ${seconds(waited)}`)
        waited = got = 0
      }
      yield next.value
    }
  } finally {
    // Not awaited: it would wait for the bytes that do not come.
    source.return?.().catch(() => {})
  }
}

/**
 * What a promise resolves to, if it does within `ms`; it goes on by itself, and may fail unheard.
 * @throws {CargoError} `request_timeout`
 */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(tooSlow(`nothing in ${seconds(ms)}`)), ms)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}

function tooSlow(what: string): CargoError {
  return new CargoError('request_timeout', `the body of the request came too slowly: ${what}`)
}
