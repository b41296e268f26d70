import type { Uplink } from '../../uplinks/uplink.ts'
import { createTurns } from '../turns.ts'

/** More than the connections of an uplink take at a time; what waits beyond is memory spent on what comes too late. */
const PARALLEL = 512
const WAITING = 4_000
/** Cargo gives up after 30 s without a byte. */
const MAX_WAIT_MS = 20_000

/** The same uplink with a bound on what is asked of it and waits for an answer; beyond that `unavailable`. */
export function boundedUplink(uplink: Uplink): Uplink {
  const { run } = createTurns({
    parallel: PARALLEL,
    waiting: WAITING,
    maxWaitMs: MAX_WAIT_MS,
    what: `requests to uplink \`${uplink.name}\``,
  })
  return {
    ...uplink,
    index: (name, validators) => run(() => uplink.index(name, validators)),
    crate: (download) => run(() => uplink.crate(download)),
    search: (query) => run(() => uplink.search(query)),
  }
}
