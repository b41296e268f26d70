import type { Logger } from '../host.ts'
import type { BoundedCacheOptions } from './bounded-cache.ts'

/** Failures in a row after which a cache is called away: one alone is a slow moment. */
const MANY = 5

/** Logs when the cache is away, and when it is back: everything works without it, so nobody would notice. */
export function createCacheWatch(logger: Logger): NonNullable<BoundedCacheOptions['onResult']> {
  let failures = 0
  return (_, result, err) => {
    if (result === 'skipped') return
    if (result === 'ok') {
      if (failures >= MANY) logger.info({}, 'the metadata cache answers again')
      failures = 0
      return
    }
    failures += 1
    if (failures === MANY)
      logger.warn(
        { err, result },
        'the metadata cache does not answer: everything goes on without it, slower',
      )
  }
}
