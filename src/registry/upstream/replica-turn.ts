import { setTimeout as sleep } from 'node:timers/promises'
import type { MetadataCache } from '../../host.ts'

/** A replica that works on the same thing is waited for so long; if it died, its lock ends by then. */
const LOCK_MS = 5_000
const POLL_MS = 50

/**
 * Runs `work` while no other replica does, where the cache can lock; after a while all the same, since a lock only
 * saves work. What another one did in the meantime is for `work` to find out.
 */
export async function inReplicaTurn<T>(
  cache: Pick<MetadataCache, 'lock'>,
  key: string,
  work: () => Promise<T>,
): Promise<T> {
  const lock = () => cache.lock?.(key, LOCK_MS)
  let release = await lock()
  for (let waited = 0; cache.lock && release === undefined && waited < LOCK_MS; waited += POLL_MS) {
    await sleep(POLL_MS)
    release = await lock()
  }
  try {
    return await work()
  } finally {
    await release?.()
  }
}
